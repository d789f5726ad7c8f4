//! The one HTTP client of the engine, for services that are looked at and those that are told
//! something. It follows no redirect: what is asked of one address must not be answered by another.

use std::time::Duration;

use ureq::config::ConfigBuilder;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::typestate::AgentScope;

/// A client whose every call, from the name's resolution to the body's end, takes at most this
/// long. Certificates are checked against those that the system trusts.
pub fn client(patience: Duration) -> ureq::Agent {
    common().timeout_global(Some(patience)).build().into()
}

/// A client each of whose steps takes at most this long, so that an error says at which of them it
/// was: before somebody was reached, or after.
pub fn client_by_step(patience: Duration) -> ureq::Agent {
    common()
        .timeout_resolve(Some(patience))
        .timeout_connect(Some(patience))
        .timeout_recv_response(Some(patience))
        .timeout_recv_body(Some(patience))
        .build()
        .into()
}

fn common() -> ConfigBuilder<AgentScope> {
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    ureq::Agent::config_builder()
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .user_agent(concat!("orch/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls)
}
