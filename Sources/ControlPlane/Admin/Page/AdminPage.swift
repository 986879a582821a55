/// The dashboard (SPEC §8): one page with its style and its program, in this executable, so that there is no file to install.
///
/// The page asks the admin API as any client does, with the token that is typed into it; nothing in these files is a secret.
enum AdminPage {
    /// Nil where there is no such file.
    static func file(_ path: String) -> AdminAnswer? {
        switch path {
        case "/": AdminAnswer(Array(html.utf8), "text/html; charset=utf-8")
        case "/app.css": AdminAnswer(Array(style.utf8), "text/css; charset=utf-8")
        case "/app.js":
            AdminAnswer(Array((scriptOfWords + script + scriptOfTables + scriptOfSuspensions).utf8), "text/javascript; charset=utf-8")
        case "/icon.svg": AdminAnswer(Array(icon.utf8), "image/svg+xml")
        default: nil
        }
    }

    private static let icon = """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#2b6cb0" d="M2 15V6a6 6 0 0 1 12 0v9h-3V7H9v8H7V7H5v8z"/></svg>
        """
}
