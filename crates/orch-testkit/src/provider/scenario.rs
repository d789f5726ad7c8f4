//! What the provider does to requests, as the base URL says it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// The script is played.
    Ok,
    /// An error of this status; `retry_after` is asked for in the header of that name.
    Status {
        /// 400 or above.
        code: u16,
        /// `None` where no header is sent.
        retry_after: Option<Duration>,
    },
    /// The first requests of the key fail with this status, the others are answered.
    Flaky {
        /// 400 or above.
        code: u16,
        /// How many fail.
        times: usize,
    },
    /// No answer ever comes.
    Hang,
    /// The answer begins and then is silent for ever.
    Stall,
    /// The connection is closed in the midst of the answer.
    Cut,
    /// The connection is closed before an answer.
    Drop,
    /// An event in the midst of the answer is not JSON.
    Malformed,
    /// A web page with status 200, as a captive portal gives one.
    Html,
    /// An answer without content.
    Empty,
    /// The prompt is larger than the model's context.
    ContextOverflow,
    /// The model declines to answer.
    Refusal,
    /// The answer ends at the limit of output tokens.
    MaxTokens,
}

/// A scenario that is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownScenario(pub String);

impl fmt::Display for UnknownScenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "there is no scenario {:?}; there are ok, a status such as 401 or 529, 429ra:SECONDS, \
             flaky:STATUS:TIMES, hang, stall, cut, drop, malformed, html, empty, ctx, refusal, maxtok",
            self.0
        )
    }
}

impl std::error::Error for UnknownScenario {}

impl FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(text: &str) -> Result<Self, UnknownScenario> {
        let unknown = || UnknownScenario(text.to_owned());
        let code = |digits: &str| {
            digits.parse().ok().filter(|code| (400..600).contains(code)).ok_or_else(unknown)
        };
        if let Some(rest) = text.strip_prefix("flaky:") {
            let (digits, times) = rest.split_once(':').ok_or_else(unknown)?;
            let times = times.parse().map_err(|_| unknown())?;
            return Ok(Self::Flaky { code: code(digits)?, times });
        }
        if let Some((digits, seconds)) = text.split_once("ra:") {
            let seconds = seconds.parse().map_err(|_| unknown())?;
            let retry_after = Some(Duration::from_secs(seconds));
            return Ok(Self::Status { code: code(digits)?, retry_after });
        }
        Ok(match text {
            "ok" => Self::Ok,
            "hang" => Self::Hang,
            "stall" => Self::Stall,
            "cut" => Self::Cut,
            "drop" => Self::Drop,
            "malformed" => Self::Malformed,
            "html" => Self::Html,
            "empty" => Self::Empty,
            "ctx" => Self::ContextOverflow,
            "refusal" => Self::Refusal,
            "maxtok" => Self::MaxTokens,
            digits => Self::Status { code: code(digits)?, retry_after: None },
        })
    }
}

impl Scenario {
    /// The scenario of a request after `before` others of its key.
    pub(super) fn now(self, before: usize) -> Self {
        match self {
            Self::Flaky { code, times } if before < times => {
                Self::Status { code, retry_after: None }
            }
            Self::Flaky { .. } => Self::Ok,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_are_read_and_others_named() {
        let status = |code, seconds: Option<u64>| Scenario::Status {
            code,
            retry_after: seconds.map(Duration::from_secs),
        };
        for (text, scenario) in [
            ("ok", Scenario::Ok),
            ("401", status(401, None)),
            ("429ra:2", status(429, Some(2))),
            ("503ra:60", status(503, Some(60))),
            ("flaky:529:2", Scenario::Flaky { code: 529, times: 2 }),
            ("ctx", Scenario::ContextOverflow),
        ] {
            assert_eq!(text.parse(), Ok(scenario), "{text}");
        }
        for text in ["", "200", "99999", "okay", "flaky:529", "flaky:200:1", "429ra:", "429ra:x"] {
            assert_eq!(text.parse::<Scenario>(), Err(UnknownScenario(text.to_owned())));
        }
    }

    #[test]
    fn flakiness_passes() {
        let flaky = Scenario::Flaky { code: 529, times: 2 };
        let failed = Scenario::Status { code: 529, retry_after: None };
        assert_eq!(
            [0, 1, 2, 3].map(|before| flaky.now(before)),
            [failed, failed, Scenario::Ok, Scenario::Ok]
        );
    }
}
