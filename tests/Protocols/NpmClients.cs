using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using Groundwork.Tests.Support;

[assembly: AssemblyFixture(typeof(Groundwork.Tests.Protocols.NpmClients))]

namespace Groundwork.Tests.Protocols;

/// <summary>
/// The public clients of npm, as their authors published them. They are installed once for each lock file, beside the
/// built tests; the scripts that drive them are in <c>Clients</c>.
/// </summary>
public sealed class NpmClients : IAsyncLifetime
{
    private static readonly TimeSpan InstallPatience = TimeSpan.FromMinutes(5);
    private readonly string scripts = Path.Combine(AppContext.BaseDirectory, "Clients");
    private string? failure = "node or npm is not installed (Debian: nodejs, npm)";

    public async ValueTask InitializeAsync()
    {
        if (Tools.Find("node") is null || Tools.Find("npm") is null) return;
        var hash = Convert.ToHexStringLower(
            SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(scripts, "package-lock.json"))));
        var installed = Path.Combine(scripts, "node_modules", ".installed");
        failure = null;
        if (File.Exists(installed) && await File.ReadAllTextAsync(installed) == hash) return;
        using var install = Start("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]);
        var said = install.StandardError.ReadToEndAsync();
        await install.WaitForExitAsync().WaitAsync(InstallPatience);
        if (install.ExitCode != 0) failure = $"the clients cannot be installed: {await said}";
        else await File.WriteAllTextAsync(installed, hash);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>
    /// Starts a script of <c>Clients</c>; the test ends here, skipped or failed, where clients cannot run.
    /// </summary>
    /// <param name="script">Such as <c>nacos.mjs</c>.</param>
    public NpmClient Run(string script, params string[] arguments)
    {
        if (failure is not null) Tools.Unavailable(failure);
        return new NpmClient(Start("node", [Path.Combine(scripts, script), .. arguments]), script);
    }

    private Process Start(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = scripts,
        };
        return Process.Start(start)!; // Not null: it does not go through a shell.
    }
}

/// <summary>
/// A script that runs. It says what it sees as lines of JSON, one event each with its name as <c>event</c>, and may be
/// told things, a line each.
/// </summary>
public sealed class NpmClient : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process process;
    private readonly string script;
    private readonly Task<string> faults;
    private readonly List<string> said = [];

    internal NpmClient(Process process, string script)
    {
        this.process = process;
        this.script = script;
        faults = process.StandardError.ReadToEndAsync();
    }

    /// <summary>
    /// The next event of that name; those before it are passed over. Fails when the script ends, or says
    /// <c>failed</c>, or says nothing for a minute.
    /// </summary>
    public async Task<JsonElement> NextAsync(string name)
    {
        while (true)
        {
            string? line;
            try
            {
                line = await process.StandardOutput.ReadLineAsync().WaitAsync(Patience);
            }
            catch (TimeoutException)
            {
                throw Failed($"said no '{name}' for {Patience.TotalSeconds:0} s");
            }
            if (line is null) throw Failed($"ended before '{name}': {(await faults).Trim()}");
            said.Add(line);
            if (!line.StartsWith('{')) continue; // What the client itself prints.
            using var parsed = JsonDocument.Parse(line);
            var happened = parsed.RootElement.TryGetProperty("event", out var property) ? property.GetString() : null;
            if (happened == name) return parsed.RootElement.Clone();
            if (happened == "failed") throw Failed($"failed before '{name}'");
        }
    }

    /// <summary>Tells the script something; it reads a line.</summary>
    public async Task TellAsync(string line)
    {
        await process.StandardInput.WriteLineAsync(line);
        await process.StandardInput.FlushAsync();
    }

    /// <summary>Waits for the script's end; it must end well.</summary>
    public async Task EndAsync()
    {
        process.StandardInput.Close();
        said.Add(await process.StandardOutput.ReadToEndAsync().WaitAsync(Patience));
        await process.WaitForExitAsync().WaitAsync(Patience);
        if (process.ExitCode != 0) throw Failed($"ended with {process.ExitCode}: {(await faults).Trim()}");
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private InvalidOperationException Failed(string why) =>
        new($"{script} {why}\nIt had said:\n{string.Join('\n', said)}");
}
