//! Mutations of texts by chance that can be repeated: the same seed gives the same bytes everywhere.

/// Longer bytes are cut: they cost time and find little that shorter ones do not.
const LONGEST: usize = 4096;

pub(crate) struct Mutator<'a> {
    state: u64,
    seeds: Vec<Vec<u8>>,
    words: &'a [&'static str],
}

impl<'a> Mutator<'a> {
    pub(crate) fn new(seed: u64, seeds: &[Vec<u8>], words: &'a [&'static str]) -> Mutator<'a> {
        Mutator { state: seed, seeds: seeds.to_vec(), words }
    }

    /// SplitMix64.
    fn chance(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.chance() % end.max(1) as u64) as usize
    }

    /// A stretch of some bytes, mostly a short one.
    fn stretch(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let most = if self.below(4) == 0 { length } else { 16 };
        start..(start + self.below(most + 1)).min(length)
    }

    /// Bytes that were not tried yet: a seed, changed in one to eight places.
    pub(crate) fn next(&mut self) -> Vec<u8> {
        let seed = self.below(self.seeds.len());
        let mut data = self.seeds[seed].clone();
        for _ in 0..=self.below(8) {
            self.change(&mut data);
        }
        data.truncate(LONGEST);
        data
    }

    fn change(&mut self, data: &mut Vec<u8>) {
        let at = self.below(data.len() + 1);
        match self.below(8) {
            0 if at < data.len() => data[at] ^= 1 << self.below(8),
            1 if at < data.len() => data[at] = self.chance().to_le_bytes()[0],
            2 => drop(data.drain(self.stretch(data.len()))),
            3 => {
                let twice = data[self.stretch(data.len())].to_vec();
                data.splice(at..at, twice);
            }
            4 => {
                let other = self.below(self.seeds.len());
                let stretch = self.stretch(self.seeds[other].len());
                data.splice(at..at, self.seeds[other][stretch].to_vec());
            }
            5 => {
                // What is chosen behind the text.
                if !data.contains(&0) {
                    data.push(0);
                }
                let count = self.below(12);
                data.extend((0..count).map(|_| self.chance().to_le_bytes()[0]));
            }
            _ => {
                let word = self.words[self.below(self.words.len())];
                data.splice(at..at, word.bytes());
            }
        }
    }
}
