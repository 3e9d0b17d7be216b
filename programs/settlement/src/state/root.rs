use crate::merkle::Hash;

/// Lifetime sums over the whole network, in base units.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Totals {
    pub spent: u64,
    pub earned: u64,
    pub slashed: u64,
    pub refunded: u64,
    pub fees: u64,
    pub fees_given: u64,
    pub dust: u64,
}

impl Totals {
    /// Whether no sum is below what it was.
    pub fn is_at_least(&self, before: &Totals) -> bool {
        self.spent >= before.spent
            && self.earned >= before.earned
            && self.slashed >= before.slashed
            && self.refunded >= before.refunded
            && self.fees >= before.fees
            && self.fees_given >= before.fees_given
            && self.dust >= before.dust
    }

    /// Whether what was spent is what went somewhere: `spent + feesGiven = earned + fees + dust`, and no more was refunded than
    /// was taken back.
    pub fn agree(&self) -> bool {
        let came = u128::from(self.spent) + u128::from(self.fees_given);
        let went = u128::from(self.earned) + u128::from(self.fees) + u128::from(self.dust);
        came == went && self.refunded <= self.slashed && self.fees_given <= self.fees
    }
}

/// A root as it was posted; epoch 0 means none.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Root {
    pub epoch: u64,
    pub sealed_slot: u64,
    /// From this slot on it counts, unless it was voided.
    pub activation_slot: u64,
    pub totals: Totals,
    pub worker_root: Hash,
    pub submitter_root: Hash,
    pub trail_root: Hash,
    pub registry_root: Hash,
    /// SHA-256 of the signed statement: posting the same one again is a success.
    pub statement_hash: Hash,
    pub trail_size: u64,
    pub worker_depth: u8,
    pub submitter_depth: u8,
    pub reserved: [u8; 6],
}

impl Root {
    pub const NONE: Root = Root {
        epoch: 0,
        sealed_slot: 0,
        activation_slot: 0,
        totals: Totals {
            spent: 0,
            earned: 0,
            slashed: 0,
            refunded: 0,
            fees: 0,
            fees_given: 0,
            dust: 0,
        },
        worker_root: [0; 32],
        submitter_root: [0; 32],
        trail_root: [0; 32],
        registry_root: [0; 32],
        statement_hash: [0; 32],
        trail_size: 0,
        worker_depth: 0,
        submitter_depth: 0,
        reserved: [0; 6],
    };
}
