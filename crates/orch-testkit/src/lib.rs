//! Test kit: repositories, hermetic environments, services under test.
