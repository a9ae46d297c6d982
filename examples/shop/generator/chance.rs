//! Random numbers that are the same on every machine.

/// Splitmix64: small, and good enough for made-up people.
pub struct Rng(pub u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to `end - 1`. The bias of the remainder is far below what 5,000 rows could show.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// 0 to `end - 1`, small numbers much more often: the density falls like a logarithm.
    pub fn long_tail(&mut self, end: u64) -> u64 {
        let limit = self.below(end) + 1;
        self.below(limit)
    }

    pub fn chance(&mut self, in_a_thousand: u64) -> bool {
        self.below(1_000) < in_a_thousand
    }

    pub fn day(&mut self, from: i64, until: i64) -> i64 {
        from + self.below((until - from + 1) as u64) as i64
    }

    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    pub fn weighted<'a, T>(&mut self, items: &'a [T], weight: impl Fn(&T) -> u64) -> &'a T {
        let mut rest = self.below(items.iter().map(&weight).sum());
        for item in items {
            match rest.checked_sub(weight(item)) {
                Some(less) => rest = less,
                None => return item,
            }
        }
        unreachable!("the draw is below the sum of the weights")
    }

    pub fn shuffled<'a, T>(&mut self, items: &'a [T]) -> Vec<&'a T> {
        let mut items: Vec<_> = items.iter().collect();
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end as u64 + 1) as usize);
        }
        items
    }
}
