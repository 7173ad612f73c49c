//! What an application sets on the default pages.

use super::*;

#[test]
fn every_page_shows_the_applications_name_above_its_heading_and_in_its_title() {
    let brand = "<p class=\"brand\"><bdi>R&#38;D &#60;Labs&#62; &#34;Ltd&#34;</bdi></p>";
    for (name, html) in every_page("R&D <Labs> \"Ltd\"") {
        let above = html.split("<h1").next().unwrap();
        assert_eq!(above.matches(brand).count(), 1, "{name}");
        let title = between(&html, "<title>", "</title>");
        assert!(
            title.ends_with(" · R&#38;D &#60;Labs&#62; &#34;Ltd&#34;"),
            "{name}: {title}"
        );
    }
}
