//! Digests, as published: MD5 in RFC 1321, SHA-256 and SHA-512 in FIPS 180-4. They make names of values, such as the
//! hashed addresses that advertising networks take; nothing here keeps a secret.

/// The MD5 digest of `bytes` in hexadecimal.
pub(super) fn md5(bytes: &[u8]) -> String {
    let mut state: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    let length = (bytes.len() as u64).wrapping_mul(8);
    for block in padded(bytes, 64, &length.to_le_bytes()).chunks_exact(64) {
        md5_block(&mut state, block);
    }
    state.iter().map(|word| format!("{:08x}", word.swap_bytes())).collect()
}

/// The SHA-256 digest of `bytes` in hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    // The constants are the first halves of those of SHA-512.
    let mut state = SQUARE_ROOTS.map(|word| (word >> 32) as u32);
    let length = (bytes.len() as u64).wrapping_mul(8);
    for block in padded(bytes, 64, &length.to_be_bytes()).chunks_exact(64) {
        sha256_block(&mut state, block);
    }
    state.iter().map(|word| format!("{word:08x}")).collect()
}

/// The SHA-512 digest of `bytes` in hexadecimal.
pub(super) fn sha512(bytes: &[u8]) -> String {
    let mut state = SQUARE_ROOTS;
    let length = (bytes.len() as u128).wrapping_mul(8);
    for block in padded(bytes, 128, &length.to_be_bytes()).chunks_exact(128) {
        sha512_block(&mut state, block);
    }
    state.iter().map(|word| format!("{word:016x}")).collect()
}

/// A stable identifier: version 8 of RFC 9562, from the first bytes of the BLAKE3 digest.
pub(super) fn uuid(bytes: &[u8]) -> String {
    let mut id = [0; 16];
    id.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    id[6] = id[6] & 0x0f | 0x80;
    id[8] = id[8] & 0x3f | 0x80;
    let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// The bytes, a one bit, zeros, and the length in bits at the end of the last block.
fn padded(bytes: &[u8], block: usize, length: &[u8]) -> Vec<u8> {
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    let size = (padded.len() + length.len()).next_multiple_of(block);
    padded.resize(size - length.len(), 0);
    padded.extend_from_slice(length);
    padded
}

fn md5_block(state: &mut [u32; 4], block: &[u8]) {
    let word = |at: usize| block[at * 4..][..4].iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
    let [mut a, mut b, mut c, mut d] = *state;
    for (at, sine) in SINES.iter().enumerate() {
        let (mixed, from) = match at / 16 {
            0 => (b & c | !b & d, at),
            1 => (d & b | !d & c, 5 * at + 1),
            2 => (b ^ c ^ d, 3 * at + 5),
            _ => (c ^ (b | !d), 7 * at),
        };
        let sum = a.wrapping_add(mixed).wrapping_add(*sine).wrapping_add(word(from % 16));
        (a, d, c) = (d, c, b);
        b = b.wrapping_add(sum.rotate_left(TURNS[at / 16][at % 4]));
    }
    for (old, new) in state.iter_mut().zip([a, b, c, d]) {
        *old = old.wrapping_add(new);
    }
}

fn sha256_block(state: &mut [u32; 8], block: &[u8]) {
    let mut words = [0u32; 64];
    for (at, bytes) in block.chunks_exact(4).enumerate() {
        words[at] = bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
    }
    for at in 16..64 {
        let (near, far) = (words[at - 2], words[at - 15]);
        let near = near.rotate_right(17) ^ near.rotate_right(19) ^ (near >> 10);
        let far = far.rotate_right(7) ^ far.rotate_right(18) ^ (far >> 3);
        words[at] = words[at - 16].wrapping_add(far).wrapping_add(words[at - 7]).wrapping_add(near);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (word, root) in words.iter().zip(CUBE_ROOTS) {
        let turned = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let sum = h.wrapping_add(turned).wrapping_add(e & f ^ !e & g);
        let sum = sum.wrapping_add((root >> 32) as u32).wrapping_add(*word);
        let turned = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let other = turned.wrapping_add(a & b ^ a & c ^ b & c);
        (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(sum), c, b, a, sum.wrapping_add(other));
    }
    for (old, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *old = old.wrapping_add(new);
    }
}

fn sha512_block(state: &mut [u64; 8], block: &[u8]) {
    let mut words = [0u64; 80];
    for (at, bytes) in block.chunks_exact(8).enumerate() {
        words[at] = bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
    for at in 16..80 {
        let (near, far) = (words[at - 2], words[at - 15]);
        let near = near.rotate_right(19) ^ near.rotate_right(61) ^ (near >> 6);
        let far = far.rotate_right(1) ^ far.rotate_right(8) ^ (far >> 7);
        words[at] = words[at - 16].wrapping_add(far).wrapping_add(words[at - 7]).wrapping_add(near);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (word, root) in words.iter().zip(CUBE_ROOTS) {
        let turned = e.rotate_right(14) ^ e.rotate_right(18) ^ e.rotate_right(41);
        let sum = h.wrapping_add(turned).wrapping_add(e & f ^ !e & g).wrapping_add(root).wrapping_add(*word);
        let turned = a.rotate_right(28) ^ a.rotate_right(34) ^ a.rotate_right(39);
        let other = turned.wrapping_add(a & b ^ a & c ^ b & c);
        (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(sum), c, b, a, sum.wrapping_add(other));
    }
    for (old, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *old = old.wrapping_add(new);
    }
}

/// How far MD5 turns a word, by round and step.
const TURNS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

/// The first bits behind the point of the sines of 1 to 64, without sign.
const SINES: [u32; 64] = [
    0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
    0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
    0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
    0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
    0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
    0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
    0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
    0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
];

/// The first bits behind the point of the square roots of the first primes.
const SQUARE_ROOTS: [u64; 8] = [
    0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1, 0x9b05_688c_2b3e_6c1f, 0x1f83_d9ab_fb41_bd6b, 0x5be0_cd19_137e_2179,
];

/// The first bits behind the point of the cube roots of the first primes.
const CUBE_ROOTS: [u64; 80] = [
    0x428a_2f98_d728_ae22, 0x7137_4491_23ef_65cd, 0xb5c0_fbcf_ec4d_3b2f, 0xe9b5_dba5_8189_dbbc,
    0x3956_c25b_f348_b538, 0x59f1_11f1_b605_d019, 0x923f_82a4_af19_4f9b, 0xab1c_5ed5_da6d_8118,
    0xd807_aa98_a303_0242, 0x1283_5b01_4570_6fbe, 0x2431_85be_4ee4_b28c, 0x550c_7dc3_d5ff_b4e2,
    0x72be_5d74_f27b_896f, 0x80de_b1fe_3b16_96b1, 0x9bdc_06a7_25c7_1235, 0xc19b_f174_cf69_2694,
    0xe49b_69c1_9ef1_4ad2, 0xefbe_4786_384f_25e3, 0x0fc1_9dc6_8b8c_d5b5, 0x240c_a1cc_77ac_9c65,
    0x2de9_2c6f_592b_0275, 0x4a74_84aa_6ea6_e483, 0x5cb0_a9dc_bd41_fbd4, 0x76f9_88da_8311_53b5,
    0x983e_5152_ee66_dfab, 0xa831_c66d_2db4_3210, 0xb003_27c8_98fb_213f, 0xbf59_7fc7_beef_0ee4,
    0xc6e0_0bf3_3da8_8fc2, 0xd5a7_9147_930a_a725, 0x06ca_6351_e003_826f, 0x1429_2967_0a0e_6e70,
    0x27b7_0a85_46d2_2ffc, 0x2e1b_2138_5c26_c926, 0x4d2c_6dfc_5ac4_2aed, 0x5338_0d13_9d95_b3df,
    0x650a_7354_8baf_63de, 0x766a_0abb_3c77_b2a8, 0x81c2_c92e_47ed_aee6, 0x9272_2c85_1482_353b,
    0xa2bf_e8a1_4cf1_0364, 0xa81a_664b_bc42_3001, 0xc24b_8b70_d0f8_9791, 0xc76c_51a3_0654_be30,
    0xd192_e819_d6ef_5218, 0xd699_0624_5565_a910, 0xf40e_3585_5771_202a, 0x106a_a070_32bb_d1b8,
    0x19a4_c116_b8d2_d0c8, 0x1e37_6c08_5141_ab53, 0x2748_774c_df8e_eb99, 0x34b0_bcb5_e19b_48a8,
    0x391c_0cb3_c5c9_5a63, 0x4ed8_aa4a_e341_8acb, 0x5b9c_ca4f_7763_e373, 0x682e_6ff3_d6b2_b8a3,
    0x748f_82ee_5def_b2fc, 0x78a5_636f_4317_2f60, 0x84c8_7814_a1f0_ab72, 0x8cc7_0208_1a64_39ec,
    0x90be_fffa_2363_1e28, 0xa450_6ceb_de82_bde9, 0xbef9_a3f7_b2c6_7915, 0xc671_78f2_e372_532b,
    0xca27_3ece_ea26_619c, 0xd186_b8c7_21c0_c207, 0xeada_7dd6_cde0_eb1e, 0xf57d_4f7f_ee6e_d178,
    0x06f0_67aa_7217_6fba, 0x0a63_7dc5_a2c8_98a6, 0x113f_9804_bef9_0dae, 0x1b71_0b35_131c_471b,
    0x28db_77f5_2304_7d84, 0x32ca_ab7b_40c7_2493, 0x3c9e_be0a_15c9_bebc, 0x431d_67c4_9c10_0d4c,
    0x4cc5_d4be_cb3e_42b6, 0x597f_299c_fc65_7e2a, 0x5fcb_6fab_3ad6_faec, 0x6c44_198c_4a47_5817,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Test vectors of the standards, and lengths around the end of a block.
    #[test]
    fn digests_are_those_of_the_standards() {
        assert_eq!(md5(b""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(md5(b"message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(
            sha512(b"abc"),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        );
        let all = |digest: fn(&[u8]) -> String| (0..300).map(|n| digest(&vec![b'a'; n])).collect::<String>();
        assert_eq!(md5(all(md5).as_bytes()), "334f515074b978951ed9966745e04656");
        assert_eq!(md5(all(sha256).as_bytes()), "552959cb85630e6ad68328497029da35");
        assert_eq!(md5(all(sha512).as_bytes()), "2751c3e6dd86b5e7f91d5c0449a7abe2");
    }

    #[test]
    fn identifiers_have_the_form_of_version_8() {
        let id = uuid(b"a");
        assert_eq!(id, "@u@");
        assert_ne!(id, uuid(b"b"));
    }
}
