//! The table of routes against the router that serves.

use orch_http::ROUTES;

use crate::service::Service;

#[test]
fn every_route_of_the_table_is_served_and_described() {
    let service = Service::start();
    let openapi = service.client.openapi().unwrap();
    assert_eq!(openapi["openapi"], "3.1.0");
    for route in ROUTES {
        let method = route.method.to_ascii_lowercase();
        assert!(openapi["paths"][route.path][&method].is_object(), "{method} {}", route.path);
        let run = "r-00000000000-0000000000000000";
        let path = route
            .path
            .replace("{key}", "HELLO-7")
            .replace("{cause}", "0123abcd")
            .replace("{run_id}", run)
            .replace("{name}", "x.md");
        let answer = service.send(route.method, &path, &[], b"");
        assert_ne!(answer.status, 405, "{method} {path}");
        let detail = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!detail.contains("no such route"), "{method} {path}: {detail}");
        assert!(answer.status < 500, "{method} {path}: {detail}");
    }
}

#[test]
fn a_wrong_method_names_the_right_ones() {
    let service = Service::start();
    let answer = service.send("DELETE", "/tasks", &[], b"");
    let allowed = answer.header("allow").unwrap_or_default();
    assert!(allowed.contains("GET") && allowed.contains("POST"), "{answer:?}");
    let head = service.send("HEAD", "/status", &[], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
}
