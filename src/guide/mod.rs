//! Guides to topics that span several items.

#[doc = include_str!("behind_a_proxy.md")]
///
/// # The files
///
/// ## nginx
///
#[doc = "```nginx"]
#[doc = include_str!("../../examples/proxies/nginx.conf")]
#[doc = "```"]
///
/// `nginx_grpc.conf`:
///
#[doc = "```nginx"]
#[doc = include_str!("../../examples/proxies/nginx_grpc.conf")]
#[doc = "```"]
///
/// ## Caddy
///
#[doc = "```caddyfile"]
#[doc = include_str!("../../examples/proxies/Caddyfile")]
#[doc = "```"]
///
/// ## Traefik
///
/// `traefik.yaml`:
///
#[doc = "```yaml"]
#[doc = include_str!("../../examples/proxies/traefik/traefik.yaml")]
#[doc = "```"]
///
/// `dynamic.yaml`:
///
#[doc = "```yaml"]
#[doc = include_str!("../../examples/proxies/traefik/dynamic.yaml")]
#[doc = "```"]
///
/// ## HAProxy
///
/// `haproxy.cfg`:
///
#[doc = "```haproxy"]
#[doc = include_str!("../../examples/proxies/haproxy/haproxy.cfg")]
#[doc = "```"]
///
/// `forward_auth.lua`:
///
#[doc = "```lua"]
#[doc = include_str!("../../examples/proxies/haproxy/forward_auth.lua")]
#[doc = "```"]
///
/// ## Envoy
///
#[doc = "```yaml"]
#[doc = include_str!("../../examples/proxies/envoy.yaml")]
#[doc = "```"]
pub mod behind_a_proxy {}

#[doc = include_str!("caches_and_back.md")]
pub mod caches_and_back {}

#[cfg(all(feature = "emulator", feature = "workos"))]
#[cfg_attr(docsrs, doc(cfg(all(feature = "emulator", feature = "workos"))))]
#[doc = include_str!("developing_without_an_account.md")]
pub mod developing_without_an_account {}

#[doc = include_str!("failures.md")]
pub mod failures {}

#[doc = include_str!("getting_started.md")]
pub mod getting_started {}

#[doc = include_str!("guard.md")]
pub mod guard {}

#[doc = include_str!("look_and_language.md")]
pub mod look_and_language {}

#[doc = include_str!("mail_scanners.md")]
pub mod mail_scanners {}

#[doc = include_str!("moving_from.md")]
pub mod moving_from {}

#[doc = include_str!("moving_off_workos.md")]
pub mod moving_off_workos {}

#[doc = include_str!("operations.md")]
pub mod operations {}

#[doc = include_str!("promises.md")]
pub mod promises {}

#[doc = include_str!("the_application_behind.md")]
#[doc = "```no_run"]
#[doc = include_str!("../../examples/stack.rs")]
#[doc = "```"]
pub mod the_application_behind {}

#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
#[doc = include_str!("running_more_than_one.md")]
pub mod running_more_than_one {}

#[doc = include_str!("security_model.md")]
pub mod security_model {}

#[doc = include_str!("sessions_and_revocation.md")]
pub mod sessions_and_revocation {}

#[doc = include_str!("single_page_applications.md")]
pub mod single_page_applications {}

#[doc = include_str!("terminal_clients.md")]
pub mod terminal_clients {}

#[cfg(all(feature = "emulator", feature = "test-util"))]
#[cfg_attr(docsrs, doc(cfg(all(feature = "emulator", feature = "test-util"))))]
#[doc = include_str!("testing_your_application.md")]
pub mod testing_your_application {}

#[cfg(feature = "workos")]
#[cfg_attr(docsrs, doc(cfg(feature = "workos")))]
#[doc = include_str!("workos_set_up.md")]
pub mod workos_set_up {}
