/// Anchor's discriminator: the first eight bytes of SHA-256 of `namespace:name`.
pub const fn of(name: &str) -> [u8; 8] {
    let hash = sha2_const_stable::Sha256::new().update(name.as_bytes()).finalize();
    [hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7]]
}
