//! Quantiles of Student's t distribution.

/// Half the width, in standard errors, of the interval that holds 95 % of a t distribution.
///
/// Hill's expansion (Communications of the ACM 13 (1970), algorithm 396), exact for 1 and 2 degrees of freedom; off by less
/// than 0.1 % from 3 on.
pub(super) fn t95(freedom: usize) -> f64 {
    const TWO_SIDES: f64 = 0.05;
    let n = freedom as f64;
    match freedom {
        0 => return f64::INFINITY,
        1 => return 1.0 / (TWO_SIDES * std::f64::consts::FRAC_PI_2).tan(),
        2 => return (2.0 / (TWO_SIDES * (2.0 - TWO_SIDES)) - 2.0).sqrt(),
        _ => {}
    }
    let a = 1.0 / (n - 0.5);
    let b = 48.0 / (a * a);
    let c = ((20_700.0 * a / b - 98.0) * a - 16.0) * a + 96.36;
    let d = ((94.5 / (b + c) - 3.0) / b + 1.0) * (a * std::f64::consts::FRAC_PI_2).sqrt() * n;
    let y = (d * TWO_SIDES).powf(2.0 / n);
    if y > 0.05 + a {
        const NORMAL: f64 = -1.959_963_984_540_054;
        let mut x = NORMAL;
        let y = x * x;
        let c = if n < 5.0 { c + 0.3 * (n - 4.5) * (x + 0.6) } else { c };
        let c = (((0.05 * d * x - 5.0) * x - 7.0) * x - 2.0) * x + b + c;
        x *= 1.0 + (((((0.4 * y + 6.3) * y + 36.0) * y + 94.5) / c - y - 3.0) / b);
        let y = a * x * x;
        return (n * y.exp_m1()).sqrt();
    }
    let y = ((1.0 / (((n + 6.0) / (n * y) - 0.089 * d - 0.822) * (n + 2.0) * 3.0) + 0.5 / (n + 4.0)) * y - 1.0)
        * (n + 1.0)
        / (n + 2.0)
        + 1.0 / y;
    (n * y).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (freedom, table) in [
            (1, 12.7062),
            (2, 4.3027),
            (3, 3.1824),
            (4, 2.7764),
            (5, 2.5706),
            (6, 2.4469),
            (8, 2.3060),
            (10, 2.2281),
            (15, 2.1314),
            (20, 2.0860),
            (30, 2.0423),
            (60, 2.0003),
            (120, 1.9799),
        ] {
            let t = t95(freedom);
            assert!((t / table - 1.0).abs() < 1.5e-3, "{freedom}: {t}, not {table}");
        }
        assert!((t95(1_000_000) - 1.96).abs() < 1e-3);
    }
}
