//! The exact test of `McNemar` (1947, doi 10.1007/BF02295996): do two raters say yes equally often?

/// The two-sided probability that of all cases in which two raters of the same things differ, as
/// uneven a share or a more uneven one falls to one side, if both say yes equally often; 1 where they
/// never differ.
///
/// # Examples
///
/// ```
/// use redraft::audit::rejudge::exact_mcnemar;
///
/// assert_eq!(exact_mcnemar(0, 0), 1.0);
/// // Ten times one way, never the other: 2 · 0.5^10.
/// assert!((exact_mcnemar(10, 0) - 2.0_f64.powi(-9)).abs() < 1e-12);
/// ```
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub fn exact_mcnemar(one_alone: u64, other_alone: u64) -> f64 {
    let all = one_alone + other_alone;
    let fewer = one_alone.min(other_alone);
    let n = all as f64;
    // The logarithm of C(n, k) / 2^n, from k to k + 1.
    let mut log = -n * std::f64::consts::LN_2;
    let mut tail = 0.0;
    for k in 0..=fewer {
        tail += log.exp();
        let k = k as f64;
        log += (n - k).ln() - (k + 1.0).ln();
    }
    (2.0 * tail).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    }

    #[test]
    fn by_hand() {
        // 2 · (1 + 10 + 45) / 1024
        near(exact_mcnemar(2, 8), 112.0 / 1024.0);
        near(exact_mcnemar(8, 2), 112.0 / 1024.0);
        near(exact_mcnemar(1, 5), 2.0 * 7.0 / 64.0);
        near(exact_mcnemar(3, 3), 1.0);
    }

    #[test]
    fn many_cases_are_no_trouble() {
        // Four standard deviations: 2 · Φ(−4) is 6.33e-5.
        let p = exact_mcnemar(500_000 - 2_000, 500_000 + 2_000);
        assert!((6.0e-5..6.7e-5).contains(&p), "{p}");
    }
}
