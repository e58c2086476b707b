//! Round numbers for the ticks of an axis.

/// The smallest of 1, 2, 5 times a power of ten that is at least `least`.
pub(crate) fn round_step(least: f64) -> f64 {
    if !(least > 0.0 && least.is_finite()) {
        return 1.0;
    }
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= least * (1.0 - 1e-9))
        .unwrap_or(least)
}

/// Decimals that a step needs to be told apart.
pub(crate) fn decimals(step: f64) -> usize {
    (0..9)
        .find(|&decimals| {
            (step * 10_f64.powi(decimals)).fract().abs() < 1e-6 || step * 10_f64.powi(decimals) >= 10.0
        })
        .map_or(9, |decimals| decimals as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        for (least, step) in [(0.3, 0.5), (1.0, 1.0), (1.1, 2.0), (7.0, 10.0), (0.0, 1.0), (0.0002, 0.0002)] {
            assert!((round_step(least) - step).abs() < step * 1e-6, "{least}");
        }
        assert_eq!((decimals(0.5), decimals(2.0), decimals(0.0002)), (1, 0, 4));
    }
}
