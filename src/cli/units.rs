//! Numbers as people read them.

/// `1,930,618`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1.93 M`: three digits and a decimal prefix.
pub fn short(number: f64) -> String {
    scaled(number, 1000.0, &["", " k", " M", " G", " T", " P", " E"])
}

/// `128.0 MiB`.
pub fn bytes(number: u64) -> String {
    scaled(number as f64, 1024.0, &[" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"])
}

fn scaled(mut number: f64, step: f64, units: &[&str]) -> String {
    let mut unit = 0;
    // What would be rounded up to a whole step belongs to the next unit.
    while number >= step * 0.9995 && unit + 1 < units.len() {
        number /= step;
        unit += 1;
    }
    let digits = match number {
        n if unit == 0 && n == n.round() => 0,
        n if n < 9.995 => 2,
        n if n < 99.95 => 1,
        _ => 0,
    };
    format!("{number:.digits$}{}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([0, 999, 1000, 1_930_618].map(grouped), ["0", "999", "1,000", "1,930,618"]);
    }

    #[test]
    fn three_digits_and_a_unit() {
        assert_eq!(
            [0.0, 7.5, 999.0, 1000.0, 1_930_618.0, 999_999.0].map(short),
            ["0", "7.50", "999", "1.00 k", "1.93 M", "1.00 M"]
        );
        assert_eq!([512, 1024, 134_217_728, u64::MAX].map(bytes), ["512 B", "1.00 KiB", "128 MiB", "16.0 EiB"]);
    }
}
