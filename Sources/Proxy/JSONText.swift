import StrictJSON

/// Names from the file, made into JSON strings once so that the log only copies them.
enum JSONText {
    static func quoted(_ text: String) -> [UInt8] {
        var writer = JSONWriter(reserving: text.utf8.count + 2)
        writer.string(text)
        return writer.bytes
    }
}
