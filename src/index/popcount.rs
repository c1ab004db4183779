//! Counting the bits that two sets share.

/// Whether the compiler may use an instruction that counts. A plain build for x86-64 may not, as the
/// oldest of these processors have none, and spends a dozen on each vector instead.
const NATIVE: bool = cfg!(any(target_feature = "popcnt", target_arch = "aarch64"));
/// Words of a chunk, and of an eighth of it.
const WORDS: usize = 1024;
const LANES: usize = WORDS / 8;

type Lanes = [u64; LANES];

/// A count of bits, fed with pairs of chunks.
///
/// Without an instruction that counts, words are first added up bit by bit, as Harley and Seal do it:
/// of eight words of a chunk the bits that stand for eight are counted, the rest is carried on to the
/// next chunk. That is two thirds of the work, and loops over lanes become vectors.
pub(super) struct Ones {
    ones: Lanes,
    twos: Lanes,
    fours: Lanes,
    eights: u64,
    counted: u64,
}

impl Ones {
    pub(super) fn new() -> Ones {
        Ones {
            ones: [0; LANES],
            twos: [0; LANES],
            fours: [0; LANES],
            eights: 0,
            counted: 0,
        }
    }

    /// Counts the bits of one chunk.
    pub(super) fn add(&mut self, words: &[u64; WORDS]) {
        self.add_combined(words, words, |word, _| word);
    }

    /// Counts the bits of what two chunks come to.
    #[expect(
        clippy::indexing_slicing,
        reason = "every array is as long as the loop: nothing can panic, and nothing is checked"
    )]
    #[inline]
    pub(super) fn add_combined(
        &mut self,
        left: &[u64; WORDS],
        right: &[u64; WORDS],
        combine: impl Fn(u64, u64) -> u64,
    ) {
        if NATIVE {
            let words = left.iter().zip(right);
            let ones = words.map(|(l, r)| u64::from(combine(*l, *r).count_ones()));
            self.counted += ones.sum::<u64>();
            return;
        }
        let ([a, b, c, d, e, f, g, h], [i, j, k, l, m, n, o, p]) =
            (left.as_chunks::<LANES>().0, right.as_chunks::<LANES>().0)
        else {
            return;
        };
        let mut eights = 0;
        for at in 0..LANES {
            let (mut ones, mut twos, mut fours) = (self.ones[at], self.twos[at], self.fours[at]);
            let first = carry(&mut ones, combine(a[at], i[at]), combine(b[at], j[at]));
            let second = carry(&mut ones, combine(c[at], k[at]), combine(d[at], l[at]));
            let low = carry(&mut twos, first, second);
            let first = carry(&mut ones, combine(e[at], m[at]), combine(f[at], n[at]));
            let second = carry(&mut ones, combine(g[at], o[at]), combine(h[at], p[at]));
            let high = carry(&mut twos, first, second);
            eights += u64::from(carry(&mut fours, low, high).count_ones());
            (self.ones[at], self.twos[at], self.fours[at]) = (ones, twos, fours);
        }
        self.eights += eights;
    }

    pub(super) fn count(&self) -> u64 {
        let ones = |words: &Lanes| -> u64 { words.iter().map(|w| u64::from(w.count_ones())).sum() };
        self.counted
            + 8 * self.eights
            + 4 * ones(&self.fours)
            + 2 * ones(&self.twos)
            + ones(&self.ones)
    }
}

/// Adds two words to a third, bit by bit; answers the carries.
#[inline(always)]
fn carry(sum: &mut u64, a: u64, b: u64) -> u64 {
    let either = *sum ^ a;
    let carries = (*sum & a) | (either & b);
    *sum = either ^ b;
    carries
}
