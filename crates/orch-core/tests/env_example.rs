//! `.env.example` holds every key, and no key that is not there.

#[test]
fn the_example_is_what_the_settings_say() {
    let written = include_str!("../../../.env.example");
    assert_eq!(
        written,
        orch_core::settings::env_example(),
        "write it anew: orch config env-example > .env.example"
    );
}
