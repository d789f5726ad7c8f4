//! How a supervisor learns what to mask: by a pipe from its launcher, and from nowhere else.

use std::io::{self, Read, Write};

use orch_core::redact::Masks;

/// Tells a supervisor; the end of the pipe ends the message.
pub(crate) fn tell(mut pipe: impl Write, masks: &Masks) -> io::Result<()> {
    let secrets: Vec<(&str, &str)> = masks.secrets().collect();
    pipe.write_all(&serde_json::to_vec(&secrets)?)
}

/// Hears it. A launcher that died before it had told all is an error: nothing runs unmasked in its
/// place.
pub(crate) fn hear(mut pipe: impl Read) -> io::Result<Masks> {
    let mut text = Vec::new();
    pipe.read_to_end(&mut text)?;
    let secrets: Vec<(String, String)> = serde_json::from_slice(&text)
        .map_err(|_| io::Error::other("the launcher did not say what to mask in the output"))?;
    Ok(Masks::new(secrets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_heard_whole_or_not_at_all() {
        let masks = Masks::new([("KEY", "hunter2-hunter2".to_owned())]);
        let mut told = Vec::new();
        tell(&mut told, &masks).unwrap();
        assert_eq!(hear(&told[..]).unwrap().text("hunter2-hunter2"), "[redacted KEY]");
        for cut in 0..told.len() {
            assert!(hear(&told[..cut]).is_err(), "cut at {cut}");
        }
        told.clear();
        tell(&mut told, &Masks::default()).unwrap();
        assert!(hear(&told[..]).unwrap().is_empty());
    }
}
