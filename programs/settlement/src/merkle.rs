//! Leaf and node bytes, proven by `protocol/vectors/settlement.json`.
use crate::runtime::sha256;

const WORKER_LEAF: u8 = 0x00;
const SUBMITTER_LEAF: u8 = 0x01;
const NODE: u8 = 0x02;
const EMPTY_LEAF: u8 = 0x03;

/// The largest tree a root may commit to.
pub const MAX_DEPTH: u8 = 24;

pub type Hash = [u8; 32];

pub struct WorkerLeaf<'a> {
    pub index: u32,
    pub payee: &'a [u8; 32],
    pub earned: u64,
    pub slashed: u64,
}

pub struct SubmitterLeaf<'a> {
    pub index: u32,
    pub submitter: &'a [u8; 32],
    pub spent: u64,
    pub refunded: u64,
    pub held: u64,
}

#[inline(always)]
pub fn worker_leaf_hash(network: &[u8; 32], leaf: &WorkerLeaf) -> Hash {
    let mut head = [0u8; 37];
    head[0] = WORKER_LEAF;
    head[1..33].copy_from_slice(network);
    head[33..].copy_from_slice(&leaf.index.to_le_bytes());
    let mut tail = [0u8; 16];
    tail[..8].copy_from_slice(&leaf.earned.to_le_bytes());
    tail[8..].copy_from_slice(&leaf.slashed.to_le_bytes());
    sha256(&[&head, leaf.payee, &tail])
}

pub fn submitter_leaf_hash(network: &[u8; 32], leaf: &SubmitterLeaf) -> Hash {
    sha256(&[
        &[SUBMITTER_LEAF],
        network,
        &leaf.index.to_le_bytes(),
        leaf.submitter,
        &leaf.spent.to_le_bytes(),
        &leaf.refunded.to_le_bytes(),
        &leaf.held.to_le_bytes(),
    ])
}

pub fn empty_leaf_hash() -> Hash {
    sha256(&[&[EMPTY_LEAF]])
}

#[inline(always)]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[NODE], left, right])
}

/// Whether `subtree`, the `place`-th of its height, lies under `root`: the bits of the place say on which side each sibling
/// goes, and bits left over mean a place outside the tree.
pub fn is_under(root: &Hash, subtree: Hash, place: u32, siblings: &[Hash]) -> bool {
    let mut node = subtree;
    let mut place = place;
    for sibling in siblings {
        node = if place & 1 == 0 {
            node_hash(&node, sibling)
        } else {
            node_hash(sibling, &node)
        };
        place >>= 1;
    }
    place == 0 && node == *root
}
