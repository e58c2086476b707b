//! Means of repetitions, and how sure their difference is.

/// Runs a side up to which the Mann-Whitney test counts every order.
const EXACT: usize = 20;

pub(super) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// 95 % confidence interval of the difference of two means, without assuming equal variances (Welch, "The generalization
/// of Student's problem", Biometrika 1947); nothing with fewer than two values on either side.
pub(super) fn welch(a: &[f64], b: &[f64]) -> Option<(f64, f64)> {
    if a.len() < 2 || b.len() < 2 {
        return None;
    }
    let (mean_a, mean_b) = (mean(a)?, mean(b)?);
    let part = |values: &[f64], mean: f64| {
        let n = values.len() as f64;
        values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0) / n
    };
    let (part_a, part_b) = (part(a, mean_a), part(b, mean_b));
    let both = part_a + part_b;
    let difference = mean_b - mean_a;
    if both == 0.0 {
        return Some((difference, difference));
    }
    let freedom =
        both.powi(2) / (part_a.powi(2) / (a.len() as f64 - 1.0) + part_b.powi(2) / (b.len() as f64 - 1.0));
    let reach = student_quantile(freedom) * both.sqrt();
    Some((difference - reach, difference + reach))
}

/// The 97.5 % quantile of Student's t.
fn student_quantile(freedom: f64) -> f64 {
    // The tail falls with t; 13 is beyond the quantile of one degree of freedom (12.71).
    let (mut low, mut high) = (1.9, 13.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        let tail = incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + middle * middle)) / 2.0;
        if tail > 0.025 { low = middle } else { high = middle }
    }
    low
}

/// The regularised incomplete beta function by its continued fraction (Abramowitz and Stegun, 26.5.8).
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(b, a, 1.0 - x);
    }
    let front = (a * x.ln() + b * (1.0 - x).ln() + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b)).exp() / a;
    // Lentz's way, from the front.
    const TINY: f64 = 1e-300;
    let (mut c, mut d) = (1.0, 1.0 / (1.0 - (a + b) * x / (a + 1.0)).abs().max(TINY));
    let mut fraction = d;
    for m in 1..300 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        for term in [even, odd] {
            d = 1.0 / (1.0 + term * d);
            c = 1.0 + term / c;
            fraction *= c * d;
        }
        if (c * d - 1.0).abs() < 1e-14 {
            break;
        }
    }
    front * fraction
}

/// Logarithm of the gamma function (Lanczos, g = 7), for positive numbers.
fn ln_gamma(x: f64) -> f64 {
    const G: [f64; 9] = [
        0.999_999_999_999_809_9,
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        return (std::f64::consts::PI / (std::f64::consts::PI * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let t = x + 7.5;
    let sum = G.iter().enumerate().skip(1).fold(G[0], |sum, (i, g)| sum + g / (x + i as f64));
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

/// Two-sided p-value of the Mann-Whitney test ("On a test of whether one of two random variables is stochastically larger
/// than the other", 1947): exact without ties up to 20 values a side, else by the normal distribution with correction for
/// ties; nothing with fewer than two values on either side.
pub(super) fn mann_whitney(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() < 2 || b.len() < 2 {
        return None;
    }
    let (n, m) = (a.len() as f64, b.len() as f64);
    let mut twice_u = 0_u64;
    for x in a {
        for y in b {
            twice_u += if x > y { 2 } else { u64::from(x == y) };
        }
    }
    let mut all: Vec<f64> = a.iter().chain(b).copied().collect();
    all.sort_by(f64::total_cmp);
    let ties: f64 = all.chunk_by(|x, y| x == y).map(|tie| tie.len() as f64).map(|t| t * (t * t - 1.0)).sum();
    let u = twice_u as f64 / 2.0;
    if ties == 0.0 && a.len() <= EXACT && b.len() <= EXACT {
        let least = u.min(n * m - u) as usize;
        return Some((2.0 * share_up_to(a.len(), b.len(), least)).min(1.0));
    }
    let total = n + m;
    let variance = n * m / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    if variance <= 0.0 {
        return Some(1.0);
    }
    let z = ((u - n * m / 2.0).abs() - 0.5).max(0.0) / variance.sqrt();
    Some(complementary_error(z / std::f64::consts::SQRT_2))
}

/// Share of all orders of n and m values whose U is at most `least`.
fn share_up_to(n: usize, m: usize, least: usize) -> f64 {
    // ways[i][u]: orders of i values of the one and j of the other with this U; j grows.
    let width = n * m + 1;
    let mut ways = vec![vec![0.0; width]; n + 1];
    for row in &mut ways {
        row[0] = 1.0;
    }
    for j in 1..=m {
        for i in 1..=n {
            // The largest value is of the one (j of the other lie below it) or of the other.
            for u in (0..width).rev() {
                let with = if u >= j { ways[i - 1][u - j] } else { 0.0 };
                ways[i][u] += with;
            }
        }
    }
    let all: f64 = ways[n].iter().sum();
    ways[n].iter().take(least + 1).sum::<f64>() / all
}

/// erfc (Numerical Recipes' Chebyshev fit; relative error below 1.2e-7), for numbers that are not negative.
fn complementary_error(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.5 * x);
    let fit = [
        0.170_872_77,
        -0.822_152_23,
        1.488_515_87,
        -1.135_203_98,
        0.278_868_07,
        -0.186_288_06,
        0.096_784_18,
        0.374_091_96,
        1.000_023_68,
        -1.265_512_23,
    ];
    t * (-x * x + fit.iter().fold(0.0, |sum, term| sum * t + term)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: f64, wanted: f64, within: f64) {
        assert!((value - wanted).abs() <= within, "{value} is not {wanted}");
    }

    #[test]
    fn quantiles_of_student() {
        // Printed tables.
        for (freedom, quantile) in [(1.0, 12.706), (2.0, 4.303), (4.0, 2.776), (10.0, 2.228), (30.0, 2.042)] {
            near(student_quantile(freedom), quantile, 0.001);
        }
        near(student_quantile(1e6), 1.960, 0.001);
    }

    #[test]
    fn welch_by_hand() {
        // Means 2 and 5, both variances 1, n = 3: standard error sqrt(2/3), 4 degrees of freedom.
        let (low, high) = welch(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]).unwrap();
        near(low, 3.0 - 2.776 * (2.0_f64 / 3.0).sqrt(), 0.001);
        near(high, 3.0 + 2.776 * (2.0_f64 / 3.0).sqrt(), 0.001);
        assert_eq!(welch(&[1.0], &[2.0, 3.0]), None);
        assert_eq!(welch(&[1.0, 1.0], &[2.0, 2.0]), Some((1.0, 1.0)));
    }

    #[test]
    fn mann_whitney_by_hand() {
        // All of A below all of B: one of C(6,3) = 20 orders each way.
        near(mann_whitney(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]).unwrap(), 0.1, 1e-12);
        // U = 2: orders with U of 0, 1, 2 are 1 + 1 + 2 of 20.
        near(mann_whitney(&[1.0, 2.0, 5.5], &[4.0, 5.0, 6.0]).unwrap(), 0.4, 1e-12);
        near(mann_whitney(&[1.0, 4.0], &[2.0, 3.0]).unwrap(), 1.0, 1e-12);
        assert_eq!(mann_whitney(&[1.0], &[2.0, 3.0]), None);
        near(mann_whitney(&[1.0, 1.0], &[1.0, 1.0]).unwrap(), 1.0, 1e-12);
    }

    #[test]
    fn many_runs_by_the_normal_distribution() {
        let a: Vec<f64> = (0..30).map(f64::from).collect();
        let b: Vec<f64> = (0..30).map(|i| f64::from(i) + 0.5).collect();
        assert!(mann_whitney(&a, &b).unwrap() > 0.8);
        let b: Vec<f64> = (0..30).map(|i| f64::from(i) + 100.0).collect();
        assert!(mann_whitney(&a, &b).unwrap() < 1e-9);
    }
}
