using System.Diagnostics;
using System.Globalization;

namespace Groundwork.Tests.Support;

/// <summary>A real Subversion repository with trunk, branches and tags, and a working copy to change it by.</summary>
public sealed class SvnRepository : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly string program = Tools.Require("svn", "subversion");

    public SvnRepository()
    {
        Run(Tools.Require("svnadmin", "subversion"), "create", Folder);
        Run(program, "mkdir", "-q", "-m", "layout", $"{Url}/trunk", $"{Url}/branches", $"{Url}/tags");
        Run(program, "checkout", "-q", Url, Copy);
    }

    public string Folder => directory.Combine("repository");

    /// <summary>As a client names it.</summary>
    public string Url => $"file://{Folder}";

    /// <summary>The working copy, of all of it.</summary>
    public string Copy => directory.Combine("copy");

    /// <summary>Writes files and commits all that has changed; returns the revision.</summary>
    public long Commit(params (string Path, string Text)[] files)
    {
        foreach (var (path, text) in files) directory.Write($"copy/{path}", text);
        Run(program, "add", "-q", "--force", "--no-ignore", Copy);
        Run(program, "commit", "-q", "-m", "change", Copy);
        Run(program, "update", "-q", Copy);
        return long.Parse(
            Run(program, "info", "--show-item", "revision", Url), CultureInfo.InvariantCulture);
    }

    /// <summary>Runs svn in the working copy, which must succeed.</summary>
    public string Svn(params string[] arguments) => Run(program, arguments);

    public void Dispose() => directory.Dispose();

    private string Run(string command, params string[] arguments)
    {
        var start = new ProcessStartInfo(command, arguments)
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
            WorkingDirectory = Directory.Exists(Copy) ? Copy : directory.Path,
        };
        start.Environment["HOME"] = directory.Path;
        using var process = Process.Start(start)!; // Not null: it does not go through a shell.
        var complained = process.StandardError.ReadToEndAsync();
        var said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? said.Trim()
            : throw new InvalidOperationException($"{arguments[0]}: {complained.GetAwaiter().GetResult()}");
    }
}
