//! Divisors and multiples.

/// The greatest number that divides both; 1 where both are 0.
pub(crate) fn common_divisor(a: usize, b: usize) -> usize {
    let (mut divisor, mut rest) = (a, b);
    while rest > 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    divisor.max(1)
}

/// The least number that both divide.
pub(crate) fn common_multiple(a: usize, b: usize) -> usize {
    a / common_divisor(a, b) * b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_divisor_divides_and_a_multiple_is_divided() {
        for (a, b, divisor, multiple) in
            [(12, 18, 6, 36), (7, 3, 1, 21), (4, 4, 4, 4), (1, 9, 1, 9), (0, 5, 5, 0), (0, 0, 1, 0)]
        {
            assert_eq!((common_divisor(a, b), common_multiple(a, b)), (divisor, multiple), "{a} and {b}");
            assert_eq!((common_divisor(b, a), common_multiple(b, a)), (divisor, multiple), "{b} and {a}");
        }
    }
}
