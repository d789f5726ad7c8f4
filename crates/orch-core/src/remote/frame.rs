//! The result frame: the far side's word that the work came to its own end.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{IdError, Revision, RunId};

/// What only the service and the far side's wrapper know of a run, so that nothing that a suite
/// prints or writes can pass for its result. Never logged; `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Nonce(String);

impl Nonce {
    /// From 128 random bits.
    pub fn from_random(bits: [u8; 16]) -> Self {
        Self(format!("{:032x}", u128::from_be_bytes(bits)))
    }

    /// The text form, for the wrapper alone.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(…)")
    }
}

impl TryFrom<String> for Nonce {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        let kept = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if kept {
            return Ok(Self(text));
        }
        Err(IdError { what: "nonce", given: String::new(), rule: "32 hexadecimal digits" })
    }
}

impl From<Nonce> for String {
    fn from(nonce: Nonce) -> String {
        nonce.0
    }
}

/// What ended the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It ended by itself.
    Exited,
    /// The far side's own limit passed, and it was killed.
    Limit,
    /// Somebody asked for its end.
    Stopped,
}

/// What the far side says of a run that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The run.
    pub run_id: RunId,
    /// What was run on; `None` where the work has no revision.
    pub revision: Option<Revision>,
    /// What ended the work.
    pub ended: Ended,
    /// Its exit code; 128 and the signal's number where a signal ended it.
    pub exit_code: i32,
    /// Bytes of standard output.
    pub stdout_bytes: u64,
    /// Bytes of standard error.
    pub stderr_bytes: u64,
    /// How long it ran, in seconds of the far side's clock.
    pub seconds: u64,
    /// Processes that outlived the work and were killed.
    pub survivors: u32,
}

/// What a frame has to name to be believed.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The secret of the run.
    pub nonce: &'a Nonce,
    /// The run.
    pub run_id: &'a RunId,
    /// What was to be run on.
    pub revision: Option<&'a Revision>,
}

/// Why a frame is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// It is cut off or not a frame.
    #[error("the result frame is malformed: {0}")]
    Malformed(&'static str),
    /// It is of another run, or somebody made it up.
    #[error("the result frame names another {0}")]
    Foreign(&'static str),
}

/// The first line of a frame.
const HEAD: &str = "orch-frame 1";
/// The last line of a frame: without it the frame is cut off.
const TAIL: &str = "end";
/// The longest frame that is read; a real one has some 300 bytes.
pub const MAX_FRAME_BYTES: usize = 4096;

impl Frame {
    /// Reads a frame and believes it only where it names all that is expected.
    pub fn read(bytes: &[u8], expected: &Expected<'_>) -> Result<Self, FrameError> {
        use FrameError::{Foreign, Malformed};
        if bytes.len() > MAX_FRAME_BYTES {
            return Err(Malformed("it is too long"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Malformed("it is not text"))?;
        let fields = fields(text)?;
        let field = |name: &'static str| fields.get(name).copied().ok_or(Malformed(name));
        if !same(field("nonce")?, expected.nonce.expose()) {
            return Err(Foreign("nonce"));
        }
        if field("run")? != expected.run_id.as_str() {
            return Err(Foreign("run"));
        }
        let revision = expected.revision.map_or("-", Revision::as_str);
        if field("revision")? != revision {
            return Err(Foreign("revision"));
        }
        let number = |name| field(name)?.parse::<u64>().map_err(|_| Malformed(name));
        let exit_code = number("exit")?;
        Ok(Self {
            run_id: expected.run_id.clone(),
            revision: expected.revision.cloned(),
            ended: match field("ended")? {
                "exited" => Ended::Exited,
                "limit" => Ended::Limit,
                "stopped" => Ended::Stopped,
                _ => return Err(Malformed("ended")),
            },
            exit_code: u8::try_from(exit_code).map_err(|_| Malformed("exit"))?.into(),
            stdout_bytes: number("stdout")?,
            stderr_bytes: number("stderr")?,
            seconds: number("seconds")?,
            survivors: number("survivors")?.try_into().unwrap_or(u32::MAX),
        })
    }
}

/// The lines between head and tail, each a name and a value, none twice.
fn fields(text: &str) -> Result<HashMap<&str, &str>, FrameError> {
    use FrameError::Malformed;
    let inner = text.strip_prefix(HEAD).ok_or(Malformed("it has no head"))?;
    let inner = inner.strip_suffix('\n').unwrap_or(inner);
    let inner = inner.strip_suffix(TAIL).and_then(|inner| inner.strip_suffix('\n'));
    let inner = inner.ok_or(Malformed("it is cut off"))?;
    let mut fields = HashMap::new();
    for line in inner.lines().skip(1) {
        let (name, value) = line.split_once(' ').ok_or(Malformed("a line has no value"))?;
        if fields.insert(name, value).is_some() {
            return Err(Malformed("a line stands twice"));
        }
    }
    Ok(fields)
}

/// Compares without telling by its time how much was right.
fn same(given: &str, secret: &str) -> bool {
    let differing = given.bytes().zip(secret.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    given.len() == secret.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "orch-frame 1\nnonce 0000000000000000000000000000000a\n\
        run r-00000000001-0000000000000002\nrevision 0123456789012345678901234567890123456789\n\
        ended exited\nexit 3\nstdout 12\nstderr 0\nseconds 4\nsurvivors 1\nend\n";

    fn read(text: &str) -> Result<Frame, FrameError> {
        let nonce = Nonce::from_random(10_u128.to_be_bytes());
        let revision = Revision::new("0123456789012345678901234567890123456789").unwrap();
        let run_id = RunId::from_parts(1, 2);
        let expected = Expected { nonce: &nonce, run_id: &run_id, revision: Some(&revision) };
        Frame::read(text.as_bytes(), &expected)
    }

    #[test]
    fn a_whole_frame_of_this_run_is_believed() {
        let frame = read(GOOD).unwrap();
        assert_eq!((frame.exit_code, frame.ended), (3, Ended::Exited));
        assert_eq!((frame.stdout_bytes, frame.stderr_bytes, frame.survivors), (12, 0, 1));
    }

    #[test]
    fn whatever_is_cut_off_is_not_believed() {
        let whole = GOOD.trim_end().len();
        for length in 0..whole {
            assert!(read(&GOOD[..length]).is_err(), "{length} bytes of {whole} were believed");
        }
    }

    #[test]
    fn a_frame_of_something_else_is_not_believed() {
        use FrameError::{Foreign, Malformed};
        for (from, to, error) in [
            ("00000a", "00000b", Foreign("nonce")),
            ("nonce 0", "nonce ", Foreign("nonce")),
            ("nonce 0000000000000000000000000000000a\n", "", Malformed("nonce")),
            ("run r-", "run s-", Foreign("run")),
            ("revision 0", "revision 1", Foreign("revision")),
            ("ended exited", "ended well", Malformed("ended")),
            ("exit 3", "exit 256", Malformed("exit")),
            ("exit 3", "exit -1", Malformed("exit")),
            ("exit 3", "exit 1\nexit 0", Malformed("a line stands twice")),
            ("exit 3", "exit", Malformed("a line has no value")),
            ("stdout 12", "stdout many", Malformed("stdout")),
            ("orch-frame 1", "orch-frame 2", Malformed("it has no head")),
        ] {
            let found = read(&GOOD.replacen(from, to, 1)).unwrap_err();
            assert_eq!(found, error, "{from} → {to}");
        }
        let long = GOOD.replacen("end\n", &format!("x {}\nend\n", "x".repeat(5000)), 1);
        assert!(read(&long).is_err());
    }

    #[test]
    fn the_nonce_shows_nowhere() {
        let nonce = Nonce::from_random([7; 16]);
        assert!(!format!("{nonce:?}").contains("07"));
        assert!(Nonce::try_from("x".repeat(32)).is_err());
        assert!(Nonce::try_from(nonce.expose().to_owned()).is_ok());
    }
}
