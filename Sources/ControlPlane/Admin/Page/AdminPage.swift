/// What a browser is shown at the admin listener.
enum AdminPage {
    /// Nil where there is no such file.
    static func file(_ path: String) -> AdminAnswer? {
        path == "/" ? AdminAnswer(Array("The admin API: see /api/openapi.json.\n".utf8), "text/plain; charset=utf-8") : nil
    }
}
