namespace Groundwork.Host.Processes;

/// <summary>Whether a command can be executed, found as <c>execvp</c> finds it.</summary>
internal static class ProgramPath
{
    private const UnixFileMode AnyExecute =
        UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <param name="program">A name, looked up in <paramref name="path"/>, or a path when it has a slash.</param>
    /// <param name="path">What <c>PATH</c> will be; its relative parts are of the working directory.</param>
    public static bool Exists(string program, string workingDirectory, string? path)
    {
        if (program.Contains('/', StringComparison.Ordinal))
            return IsExecutable(Path.Combine(workingDirectory, program));
        foreach (var directory in (path ?? "").Split(Path.PathSeparator))
            if (IsExecutable(Path.Combine(workingDirectory, directory, program))) return true;
        return false;
    }

    private static bool IsExecutable(string file) => File.Exists(file)
        && (OperatingSystem.IsWindows() || (File.GetUnixFileMode(file) & AnyExecute) != UnixFileMode.None);
}
