//! The tasks of the demo and what is expected of each.

/// One task of the demo.
pub struct Role {
    /// Its title, by which the scripted agent knows it.
    pub title: &'static str,
    /// Its body.
    pub body: &'static str,
    /// Times it is expected to go back to development.
    pub bounces: u32,
    /// From which stage, where it does.
    pub from: Option<&'static str>,
}

/// The tasks in the order of their submission.
pub const CAST: &[Role] = &[
    Role {
        title: "Add subtraction",
        body: "`calc.sh subtract A B` prints the difference of two whole numbers.",
        bounces: 0,
        from: None,
    },
    Role {
        title: "Add multiplication",
        body: "`calc.sh multiply A B` prints the product of two whole numbers.",
        bounces: 1,
        from: Some("review"),
    },
    Role {
        title: "Add division",
        body: "`calc.sh divide A B` prints the whole quotient, and `undefined` for a division by zero.",
        bounces: 1,
        from: Some("testing"),
    },
    Role {
        title: "Release 1.1",
        body: "The version becomes 1.1.0.",
        bounces: 1,
        from: Some("deploy"),
    },
];
