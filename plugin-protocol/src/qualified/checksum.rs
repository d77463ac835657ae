//! Check digits of the numbers that name a person or an organisation in Russia.

/// СНИЛС (постановление Правления ПФР № 192п, приложение 1): 9 digits and a two-digit check sum.
/// Numbers up to 001-001-998 were given out before there were check sums.
pub fn is_snils(text: &str) -> bool {
    let Some(digits) = digits::<11>(text) else { return false };
    let number = digits[..9].iter().fold(0, |number, digit| number * 10 + digit);
    let sum = weighted(&digits[..9], &[9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101 % 100;
    number <= 1_001_998 || sum == digits[9] * 10 + digits[10]
}

/// ИНН of a person (приказ ФНС № ЕД-7-14/559@): 12 digits, the last two are check digits.
pub fn is_inn_of_person(text: &str) -> bool {
    let Some(digits) = digits::<12>(text) else { return false };
    let eleventh = weighted(&digits, &[7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10;
    let twelfth = weighted(&digits, &[3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10;
    eleventh == digits[10] && twelfth == digits[11]
}

/// ИНН of an organisation: 10 digits, the last one is the check digit.
pub fn is_inn_of_organization(text: &str) -> bool {
    digits::<10>(text).is_some_and(|digits| weighted(&digits, &[2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10 == digits[9])
}

/// ОГРН: 13 digits, the last one is the first twelve modulo 11, modulo 10.
pub fn is_ogrn(text: &str) -> bool {
    digits::<13>(text).is_some_and(|digits| number(&digits[..12]) % 11 % 10 == digits[12])
}

/// ОГРНИП: 15 digits, the last one is the first fourteen modulo 13, modulo 10.
pub fn is_ogrnip(text: &str) -> bool {
    digits::<15>(text).is_some_and(|digits| number(&digits[..14]) % 13 % 10 == digits[14])
}

fn digits<const N: usize>(text: &str) -> Option<[u64; N]> {
    let bytes: [u8; N] = text.as_bytes().try_into().ok()?;
    let digits = bytes.map(|byte| u64::from(byte.wrapping_sub(b'0')));
    digits.iter().all(|digit| *digit <= 9).then_some(digits)
}

fn weighted(digits: &[u64], weights: &[u64]) -> u64 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

fn number(digits: &[u64]) -> u64 {
    digits.iter().fold(0, |number, digit| number * 10 + digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Any single digit changed makes the number wrong.
    fn only_right(right: &str, check: fn(&str) -> bool) {
        assert!(check(right), "{right}");
        assert!(!check(&right[1..]), "one digit less");
        assert!(!check(&format!("{right}0")), "one digit more");
        assert!(
            !check(&right.replacen(|c: char| c.is_ascii_digit(), "x", 1)),
            "a letter"
        );
    }

    #[test]
    fn knows_published_numbers() {
        only_right("11223344595", is_snils); // the example of the methodology
        only_right("500100732259", is_inn_of_person); // the tax service's own example
        only_right("7707083893", is_inn_of_organization); // Сбербанк
        only_right("1027700132195", is_ogrn); // Сбербанк
        only_right("304500116000157", is_ogrnip); // the register's example
    }

    #[test]
    fn refuses_a_changed_digit() {
        for wrong in ["11223344596", "11223344695", "12346000001", "12349989901"] {
            assert!(!is_snils(wrong), "{wrong}");
        }
        for double_zero in ["12346000000", "12346000100", "12349989900"] {
            assert!(is_snils(double_zero), "sums of 100, 101 and 202 are written 00");
        }
        assert!(is_snils("00100199800"), "too old for a check sum");
        assert!(!is_inn_of_person("500100732258") && !is_inn_of_person("500100732159"));
        assert!(!is_inn_of_organization("7707083894"));
        assert!(!is_ogrn("1027700132196") && !is_ogrnip("304500116000158"));
    }
}
