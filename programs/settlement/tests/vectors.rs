// A test stops at what is not as expected.
#![allow(clippy::unwrap_used)]
//! The bytes of the program are those of the protocol: both read `protocol/vectors/settlement.json`.
use serde_json::Value;
use settlement::merkle::{empty_leaf_hash, is_under, submitter_leaf_hash, worker_leaf_hash, SubmitterLeaf, WorkerLeaf};

fn vectors() -> Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../protocol/vectors/settlement.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn hash(of: &Value) -> [u8; 32] {
    let text = of.as_str().unwrap();
    core::array::from_fn(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
}

fn number(of: &Value) -> u64 {
    of.as_str()
        .map_or_else(|| of.as_u64().unwrap(), |text| text.parse().unwrap())
}

fn index(of: &Value) -> u32 {
    u32::try_from(number(of)).unwrap()
}

#[test]
fn leaves_hash_as_in_the_protocol() {
    let vectors = vectors();
    let network = hash(&vectors["network"]);
    for leaf in vectors["workerLeaves"].as_array().unwrap() {
        let payee = hash(&leaf["payee"]);
        let (earned, slashed) = (number(&leaf["lifetimeEarned"]), number(&leaf["lifetimeSlashed"]));
        let ours = WorkerLeaf {
            index: index(&leaf["index"]),
            payee: &payee,
            earned,
            slashed,
        };
        assert_eq!(worker_leaf_hash(&network, &ours), hash(&leaf["hash"]));
    }
    for leaf in vectors["submitterLeaves"].as_array().unwrap() {
        let submitter = hash(&leaf["submitter"]);
        let ours = SubmitterLeaf {
            index: index(&leaf["index"]),
            submitter: &submitter,
            spent: number(&leaf["lifetimeSpent"]),
            refunded: number(&leaf["lifetimeRefunded"]),
            held: number(&leaf["held"]),
        };
        assert_eq!(submitter_leaf_hash(&network, &ours), hash(&leaf["hash"]));
    }
    assert_eq!(empty_leaf_hash(), hash(&vectors["emptyLeaf"]));
}

#[test]
fn a_leaf_is_under_its_root_at_its_own_place_only() {
    for tree in vectors()["trees"].as_array().unwrap() {
        let root = hash(&tree["root"]);
        for proof in tree["proofs"].as_array().unwrap() {
            let siblings: Vec<[u8; 32]> = proof["siblings"].as_array().unwrap().iter().map(hash).collect();
            let start = index(&proof["start"]);
            if number(&proof["height"]) != 0 {
                continue;
            }
            let leaf = tree["leaves"]
                .get(usize::try_from(start).unwrap())
                .map_or_else(empty_leaf_hash, hash);
            assert!(is_under(&root, leaf, start, &siblings));
            let beyond = start + (1 << siblings.len());
            assert!(!is_under(&root, leaf, beyond, &siblings));
        }
    }
}
