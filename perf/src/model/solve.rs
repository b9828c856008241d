//! Linear least squares: an orthogonal decomposition with pivots, which shows what cannot be told apart.

/// Smallest part of a column that may be its own; below it a column is a mixture of others.
const OWN: f64 = 1e-8;

/// Coefficients, and all that tells how sure they are.
#[derive(Clone, Debug)]
pub(super) struct Solution {
    pub(super) coefficients: Vec<f64>,
    /// Of the coefficients, for errors of variance 1.
    pub(super) covariance: Vec<Vec<f64>>,
    /// What is left of each row.
    pub(super) residuals: Vec<f64>,
    /// How far each row pulls the solution towards itself, 0 to 1.
    pub(super) leverage: Vec<f64>,
}

/// Columns that others already say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Collinear(pub(super) Vec<usize>);

/// Solves `columns` times coefficients = `y` with the least sum of squares.
///
/// * `columns`: each as long as `y`, and fewer than rows
pub(super) fn least_squares(columns: &[Vec<f64>], y: &[f64]) -> Result<Solution, Collinear> {
    let p = columns.len();
    let scale: Vec<f64> = columns.iter().map(|column| norm(column)).collect();
    // Of one length, so that pivots compare directions and not units.
    let mut left: Vec<Vec<f64>> = columns
        .iter()
        .zip(&scale)
        .map(|(column, scale)| column.iter().map(|value| if *scale > 0.0 { value / scale } else { 0.0 }).collect())
        .collect();
    let mut order: Vec<usize> = (0..p).collect();
    let mut basis: Vec<Vec<f64>> = Vec::new();
    // r[k][j]: the part of the j-th column in order along the k-th basis vector.
    let mut r = vec![vec![0.0; p]; p];
    for k in 0..p {
        let largest = (k..p).max_by(|a, b| norm(&left[*a]).total_cmp(&norm(&left[*b]))).unwrap_or(k);
        left.swap(k, largest);
        order.swap(k, largest);
        r.iter_mut().take(k).for_each(|row| row.swap(k, largest));
        let length = norm(&left[k]);
        if length < OWN {
            return Err(Collinear(order.split_off(k)));
        }
        let unit: Vec<f64> = left[k].iter().map(|value| value / length).collect();
        r[k][k] = length;
        // Twice is enough for directions that are orthogonal to the last digit (Kahan).
        for _ in 0..2 {
            for j in k + 1..p {
                let along = dot(&unit, &left[j]);
                r[k][j] += along;
                left[j].iter_mut().zip(&unit).for_each(|(value, unit)| *value -= along * unit);
            }
        }
        basis.push(unit);
    }
    let inverse = inverse(&r);
    let projected: Vec<f64> = basis.iter().map(|unit| dot(unit, y)).collect();
    let mut coefficients = vec![0.0; p];
    let mut covariance = vec![vec![0.0; p]; p];
    for (row, to) in order.iter().enumerate() {
        coefficients[*to] = dot(&inverse[row], &projected) / scale[*to];
        for (column, other) in order.iter().enumerate() {
            covariance[*to][*other] = dot(&inverse[row], &inverse[column]) / scale[*to] / scale[*other];
        }
    }
    let fitted = |row: usize| columns.iter().zip(&coefficients).map(|(column, value)| column[row] * value).sum::<f64>();
    let residuals = y.iter().enumerate().map(|(row, y)| y - fitted(row)).collect();
    let leverage = (0..y.len()).map(|row| basis.iter().map(|unit| unit[row] * unit[row]).sum()).collect();
    Ok(Solution { coefficients, covariance, residuals, leverage })
}

/// Of an upper triangle without zero on its diagonal.
fn inverse(r: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let p = r.len();
    let mut inverse = vec![vec![0.0; p]; p];
    for (row, column) in (0..p).flat_map(|column| (0..=column).rev().map(move |row| (row, column))) {
        let known: f64 = (row + 1..=column).map(|k| r[row][k] * inverse[k][column]).sum();
        let unit = if row == column { 1.0 } else { 0.0 };
        inverse[row][column] = (unit - known) / r[row][row];
    }
    inverse
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(column: &[f64]) -> f64 {
    dot(column, column).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_through_four_points() {
        // By hand: slope 1.4, intercept 3.5; residuals 0.6 of a sum of squares 4.2, leverages of a line.
        let columns = [vec![1.0; 4], vec![1.0, 2.0, 3.0, 4.0]];
        let solution = least_squares(&columns, &[6.0, 5.0, 7.0, 10.0]).unwrap_or_else(|fault| panic!("{fault:?}"));
        let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(close(solution.coefficients[0], 3.5) && close(solution.coefficients[1], 1.4), "{solution:?}");
        assert!(close(solution.residuals.iter().map(|r| r * r).sum(), 4.2), "{solution:?}");
        assert!(close(solution.covariance[1][1], 0.2) && close(solution.covariance[0][0], 1.5), "{solution:?}");
        assert!(close(solution.covariance[0][1], -0.5) && close(solution.covariance[1][0], -0.5), "{solution:?}");
        assert!(close(solution.leverage[0], 0.7) && close(solution.leverage[1], 0.3), "{solution:?}");
    }

    #[test]
    fn units_far_apart_do_not_matter() {
        let columns = [vec![1e-9, 2e-9, 4e-9], vec![1e9, -1e9, 0.0]];
        let solution = least_squares(&columns, &[3.0, 1.0, 8.0]).unwrap_or_else(|fault| panic!("{fault:?}"));
        assert!(solution.residuals.iter().all(|left| left.is_finite()));
        let again = least_squares(&[vec![1.0, 2.0, 4.0], vec![1.0, -1.0, 0.0]], &[3.0, 1.0, 8.0]);
        let again = again.unwrap_or_else(|fault| panic!("{fault:?}"));
        assert!((solution.coefficients[0] * 1e-9 - again.coefficients[0]).abs() < 1e-9);
    }

    #[test]
    fn a_column_that_others_say_is_named() {
        let columns = [vec![1.0; 4], vec![1.0, 2.0, 3.0, 4.0], vec![3.0, 5.0, 7.0, 9.0]];
        let Err(Collinear(which)) = least_squares(&columns, &[1.0, 2.0, 3.0, 5.0]) else { panic!("solved") };
        assert_eq!(which.len(), 1, "{which:?}");
        assert!(least_squares(&[vec![0.0; 3]], &[1.0, 2.0, 3.0]).is_err(), "nothing says nothing");
    }
}
