//! What the runtime does for the program: hashing and logging. On the host, where unit tests run, the same in software.

#[cfg(any(target_os = "solana", target_arch = "bpf"))]
mod platform {
    use pinocchio::syscalls::{sol_log_data, sol_sha256};

    /// SHA-256 over the parts in order.
    #[inline(always)]
    pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = [0u8; 32];
        // SAFETY: the parts are slices of live memory, laid out as the syscall expects: address and length of 8 bytes each.
        unsafe { sol_sha256(parts.as_ptr().cast(), parts.len() as u64, hash.as_mut_ptr()) };
        hash
    }

    pub fn log_data(parts: &[&[u8]]) {
        // SAFETY: as above.
        unsafe { sol_log_data(parts.as_ptr().cast(), parts.len() as u64) };
    }
}

#[cfg(not(any(target_os = "solana", target_arch = "bpf")))]
mod platform {
    pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
        let mut hasher = sha2_const_stable::Sha256::new();
        for part in parts {
            hasher = hasher.update(part);
        }
        hasher.finalize()
    }

    pub fn log_data(_: &[&[u8]]) {}
}

pub use platform::sha256;

/// Emits an event as Anchor does: its discriminator and fields as one `Program data:` line.
pub fn emit(event: &[u8]) {
    platform::log_data(&[event]);
}
