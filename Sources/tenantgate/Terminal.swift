import Foundation

/// The two standard streams, unbuffered: whoever reads a pipe sees each text at once.
enum Terminal {
    static func output(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }
    static func error(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
