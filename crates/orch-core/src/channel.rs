//! Channels: what jobs go through and may be shut for a time, such as a provider's account. A shut
//! channel keeps all jobs waiting that have no other one, and costs none of them an attempt.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::AgentName;

/// The sort of channel that a provider's account is.
pub const ACCOUNT: &str = "account";

/// The way that a run of an agent takes: whose settings, and which account pays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The table `[agents.NAME]` that it is started with.
    pub settings: AgentName,
    /// The provider's account.
    pub account: String,
    /// Its place in the role's chain; 0 is the role's own table.
    pub position: u32,
}

/// What shuts a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutter {
    /// The provider asks for patience until then.
    RateLimited {
        /// As it was told, from outside.
        until: Timestamp,
    },
    /// The provider refuses the account's login.
    AuthBroken,
    /// The provider is overloaded.
    Overloaded,
}

/// A channel is shut for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// When it opens by itself.
    pub until: Timestamp,
    /// Why, for people.
    pub reason: String,
}

/// The shortest pause: a limit that is over already would start a run after the other.
pub const MIN_PAUSE: SignedDuration = SignedDuration::from_secs(1);
/// The longest pause that is believed: longer ones are a slip of the provider's, or a lie.
pub const MAX_PAUSE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// For how long the next of a chain takes over from an overloaded provider.
pub const OVERLOAD_PAUSE: SignedDuration = SignedDuration::from_mins(2);
/// For how long the next of a chain takes over from an account whose login is refused.
pub const AUTH_PAUSE: SignedDuration = SignedDuration::from_mins(30);

/// For how long a channel is shut. A rate limit shuts it for everybody; a refused login and an
/// overloaded provider only where another account of the chain is open to take over (`others`):
/// else they are the run's own trouble, which is deferred or held.
pub fn pause(shutter: Shutter, others: bool, now: Timestamp) -> Option<Pause> {
    let after = |wait: SignedDuration| now.checked_add(wait).unwrap_or(Timestamp::MAX);
    let (until, reason) = match shutter {
        Shutter::RateLimited { until } => {
            (until.clamp(after(MIN_PAUSE), after(MAX_PAUSE)), "rate limited")
        }
        Shutter::AuthBroken if others => (after(AUTH_PAUSE), "its login is refused"),
        Shutter::Overloaded if others => (after(OVERLOAD_PAUSE), "its provider is overloaded"),
        Shutter::AuthBroken | Shutter::Overloaded => return None,
    };
    Some(Pause { until, reason: reason.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_bounded_and_taken_where_it_helps() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let after = |seconds| now + SignedDuration::from_secs(seconds);
        let limited = |until| Shutter::RateLimited { until };
        let week = 7 * 86_400;
        for (shutter, others, expected) in [
            (limited(after(600)), false, Some(600)),
            (limited(after(600)), true, Some(600)),
            (limited(after(-600)), false, Some(1)),
            (limited(now), false, Some(1)),
            (limited(Timestamp::MAX), false, Some(week)),
            (limited(Timestamp::MIN), false, Some(1)),
            (Shutter::AuthBroken, true, Some(1800)),
            (Shutter::AuthBroken, false, None),
            (Shutter::Overloaded, true, Some(120)),
            (Shutter::Overloaded, false, None),
        ] {
            let until = pause(shutter, others, now).map(|pause| pause.until);
            assert_eq!(until, expected.map(after), "{shutter:?} {others}");
        }
        let end = pause(limited(Timestamp::MAX), false, Timestamp::MAX).unwrap();
        assert_eq!(end.until, Timestamp::MAX);
    }
}
