//! Humane sizes: `20GB`, `512MB`; a kilobyte is 1024 bytes.

/// What a size looks like, in a few words.
pub(super) const FORM: &str = "a size such as 20GB or 512MB, or 0 for off";

/// Reads a size in bytes; `None` where it is none. Units are KB, MB, GB and TB, with or without an
/// `i`, in any case; 0 needs none.
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: u64 = number.parse().ok()?;
    let power = match unit.trim().to_ascii_lowercase().replace('i', "").as_str() {
        "kb" => 10,
        "mb" => 20,
        "gb" => 30,
        "tb" => 40,
        "" if number == 0 => 0,
        _ => return None,
    };
    number.checked_mul(1 << power)
}

/// A size for people, in the largest unit that leaves it at least 1.
pub fn format_size(bytes: u64) -> String {
    let units = [(40, "TB"), (30, "GB"), (20, "MB"), (10, "KB")];
    let unit = units.into_iter().find(|(power, _)| bytes >> power > 0);
    let Some((power, unit)) = unit else { return format!("{bytes} bytes") };
    let tenths = (u128::from(bytes) * 10) >> power;
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole}{unit}"),
        (whole, tenth) => format!("{whole}.{tenth}{unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_shown() {
        for (text, bytes, shown) in [
            ("20GB", 20 << 30, "20GB"),
            ("512 mb", 512 << 20, "512MB"),
            ("1TiB", 1 << 40, "1TB"),
            ("1536KB", 1536 << 10, "1.5MB"),
            ("0", 0, "0 bytes"),
        ] {
            assert_eq!(parse_size(text), Some(bytes), "{text}");
            assert_eq!(format_size(bytes), shown);
        }
        for text in ["", "GB", "-1GB", "20", "1.5GB", "20 gigs", "99999999999TB", "1GBs", "0x1GB"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
        assert_eq!(format_size(u64::MAX), "16777215.9TB");
    }
}
