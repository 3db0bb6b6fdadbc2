using System.Diagnostics;

namespace Groundwork.Tests.Support;

/// <summary>A real repository with a working tree, made and changed by the real git.</summary>
public sealed class GitRepository : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly string program = Tools.Require("git", "git");

    public GitRepository()
    {
        Run("init", "--quiet", "--initial-branch=main");
        Run("config", "user.name", "test");
        Run("config", "user.email", "test@example.com");
    }

    public string Folder => directory.Path;

    /// <summary>As a client names it.</summary>
    public string Url => $"file://{directory.Path}";

    public string Head => Run("rev-parse", "HEAD");

    /// <summary>Writes files and commits all that has changed; returns the commit.</summary>
    public string Commit(params (string Path, string Text)[] files)
    {
        foreach (var (path, text) in files) Write(path, text);
        Run("add", "--all");
        Run("commit", "--quiet", "--allow-empty", "-m", "change");
        return Head;
    }

    public void Write(string path, string text)
    {
        var place = Path.Combine(directory.Path, path);
        Directory.CreateDirectory(Path.GetDirectoryName(place)!); // It is below a directory.
        File.WriteAllText(place, text);
    }

    /// <summary>Runs git there, which must succeed, and returns what it printed.</summary>
    public string Run(params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false, WorkingDirectory = directory.Path, RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["GIT_CONFIG_GLOBAL"] = "/dev/null";
        start.Environment["GIT_CONFIG_NOSYSTEM"] = "1";
        using var process = Process.Start(start)!; // Not null: it does not go through a shell.
        var complained = process.StandardError.ReadToEndAsync();
        var said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? said.Trim()
            : throw new InvalidOperationException($"git {arguments[0]}: {complained.GetAwaiter().GetResult()}");
    }

    public void Dispose() => directory.Dispose();
}
