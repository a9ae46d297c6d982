//! Digests: MD5, SHA-1, SHA-256 and SHA-512. They make identifiers that other systems can compute as well; nothing secret
//! depends on them.

/// The first 64 bits behind the point of the cube roots of the first 80 primes. SHA-256 uses the upper halves of 64.
#[rustfmt::skip]
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

/// The same of the square roots of the first 8 primes.
#[rustfmt::skip]
const SQUARE_ROOTS: [u64; 8] = [
    0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1, 0x9b05_688c_2b3e_6c1f, 0x1f83_d9ab_fb41_bd6b, 0x5be0_cd19_137e_2179,
];

/// What MD5 and SHA-1 begin with.
const START: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

/// The message, a one bit, zeros and the length in bits, to a multiple of `block` bytes. The length takes an eighth of it.
fn padded(message: &[u8], block: usize, big_endian: bool) -> Vec<u8> {
    let mut bytes = message.to_vec();
    bytes.push(0x80);
    while bytes.len() % block != block - block / 8 {
        bytes.push(0);
    }
    let bits = message.len() as u128 * 8;
    match (block, big_endian) {
        (128, _) => bytes.extend(bits.to_be_bytes()),
        (_, true) => bytes.extend((bits as u64).to_be_bytes()),
        (_, false) => bytes.extend((bits as u64).to_le_bytes()),
    }
    bytes
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// RFC 1321.
pub(super) fn md5(message: &[u8]) -> Vec<u8> {
    const TURNS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    let sine = |step: usize| ((step as f64 + 1.0).sin().abs() * 4_294_967_296.0) as u32;
    let [mut a0, mut b0, mut c0, mut d0, _] = START;
    for block in padded(message, 64, false).chunks_exact(64) {
        let word =
            |at: usize| block[at * 4..at * 4 + 4].iter().rev().fold(0u32, |word, byte| word << 8 | u32::from(*byte));
        let (mut a, mut b, mut c, mut d) = (a0, b0, c0, d0);
        for step in 0..64 {
            let (mix, at) = match step / 16 {
                0 => ((b & c) | (!b & d), step),
                1 => ((d & b) | (!d & c), (5 * step + 1) % 16),
                2 => (b ^ c ^ d, (3 * step + 5) % 16),
                _ => (c ^ (b | !d), 7 * step % 16),
            };
            let sum = mix.wrapping_add(a).wrapping_add(sine(step)).wrapping_add(word(at));
            (a, d, c) = (d, c, b);
            b = b.wrapping_add(sum.rotate_left(TURNS[step / 16][step % 4]));
        }
        a0 = a0.wrapping_add(a);
        b0 = b0.wrapping_add(b);
        c0 = c0.wrapping_add(c);
        d0 = d0.wrapping_add(d);
    }
    [a0, b0, c0, d0].into_iter().flat_map(u32::to_le_bytes).collect()
}

/// FIPS 180-4.
pub(super) fn sha1(message: &[u8]) -> Vec<u8> {
    let mut state = START;
    for block in padded(message, 64, true).chunks_exact(64) {
        let mut words: Vec<u32> = words(block, 4).map(|word| word as u32).collect();
        for at in 16..80 {
            words.push((words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16]).rotate_left(1));
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (step, word) in words.into_iter().enumerate() {
            let (mix, constant) = match step / 20 {
                0 => ((b & c) | (!b & d), 0x5a82_7999u32),
                1 => (b ^ c ^ d, 0x6ed9_eba1),
                2 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6),
            };
            let next = a.rotate_left(5).wrapping_add(mix).wrapping_add(e).wrapping_add(constant).wrapping_add(word);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
        }
        for (sum, value) in state.iter_mut().zip([a, b, c, d, e]) {
            *sum = sum.wrapping_add(value);
        }
    }
    state.into_iter().flat_map(u32::to_be_bytes).collect()
}

fn words(block: &[u8], width: usize) -> impl Iterator<Item = u64> {
    block.chunks_exact(width).map(|bytes| bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)))
}

/// SHA-2 on words of one width: FIPS 180-4.
macro_rules! sha2 {
    ($(#[$doc:meta])* $name:ident, $word:ty, $block:literal, $rounds:literal, $drop:literal,
     $big:expr, $small:expr) => {
        $(#[$doc])*
        pub(super) fn $name(message: &[u8]) -> Vec<u8> {
            let turned = |word: $word, turns: [u32; 3]| {
                word.rotate_right(turns[0]) ^ word.rotate_right(turns[1]) ^ word.rotate_right(turns[2])
            };
            let shifted = |word: $word, turns: [u32; 3]| {
                word.rotate_right(turns[0]) ^ word.rotate_right(turns[1]) ^ word >> turns[2]
            };
            let (big, small): ([[u32; 3]; 2], [[u32; 3]; 2]) = ($big, $small);
            let mut state = SQUARE_ROOTS.map(|root| (root >> $drop) as $word);
            for block in padded(message, $block, true).chunks_exact($block) {
                let mut words: Vec<$word> = words(block, $block / 16).map(|word| word as $word).collect();
                for at in 16..$rounds {
                    let (early, late) = (shifted(words[at - 15], small[0]), shifted(words[at - 2], small[1]));
                    words.push(words[at - 16].wrapping_add(early).wrapping_add(words[at - 7]).wrapping_add(late));
                }
                let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
                for (word, root) in words.into_iter().zip(CUBE_ROOTS) {
                    let choice = (e & f) ^ (!e & g);
                    let constant = (root >> $drop) as $word;
                    let first = h.wrapping_add(turned(e, big[1])).wrapping_add(choice);
                    let first = first.wrapping_add(constant).wrapping_add(word);
                    let second = turned(a, big[0]).wrapping_add((a & b) ^ (a & c) ^ (b & c));
                    (h, g, f, e) = (g, f, e, d.wrapping_add(first));
                    (d, c, b, a) = (c, b, a, first.wrapping_add(second));
                }
                for (sum, value) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
                    *sum = sum.wrapping_add(value);
                }
            }
            state.into_iter().flat_map(<$word>::to_be_bytes).collect()
        }
    };
}

sha2! {
    /// SHA-256.
    sha256, u32, 64, 64, 32, [[2, 13, 22], [6, 11, 25]], [[7, 18, 3], [17, 19, 10]]
}
sha2! {
    /// SHA-512.
    sha512, u64, 128, 80, 0, [[28, 34, 39], [14, 18, 41]], [[1, 8, 7], [19, 61, 6]]
}

/// UUID version 5 (RFC 9562) in the namespace of URLs.
pub(super) fn uuid(name: &[u8]) -> String {
    const URL: u128 = 0x6ba7_b811_9dad_11d1_80b4_00c0_4fd4_30c8;
    let mut bytes = sha1(&[&URL.to_be_bytes()[..], name].concat());
    bytes.truncate(16);
    bytes[6] = bytes[6] & 0x0f | 0x50;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex(&bytes);
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}
