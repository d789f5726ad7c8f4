//! What people call a shared cause by.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of a shared cause: eight hexadecimal digits, the same for the same fault of the same
/// channel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CauseId(String);

/// Why a text names no cause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no cause: it is eight hexadecimal digits, as `orch queue` shows them")]
pub struct BadCause(String);

impl CauseId {
    /// The name of what these texts say.
    pub(super) fn of(texts: [&str; 2]) -> Self {
        // FNV-1a: it has to stay the same across versions, and only tells causes apart.
        let bytes = texts.iter().flat_map(|text| text.bytes().chain([0]));
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(format!("{:08x}", (hash >> 32) ^ (hash & 0xffff_ffff)))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CauseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for CauseId {
    type Err = BadCause;

    fn from_str(text: &str) -> Result<Self, BadCause> {
        let digits = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if text.len() == 8 && digits {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadCause(text.chars().take(40).collect()))
        }
    }
}

impl TryFrom<String> for CauseId {
    type Error = BadCause;

    fn try_from(text: String) -> Result<Self, BadCause> {
        text.parse()
    }
}

impl From<CauseId> for String {
    fn from(id: CauseId) -> Self {
        id.0
    }
}
