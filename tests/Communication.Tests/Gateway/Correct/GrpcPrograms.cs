using System.Diagnostics;
using System.Globalization;
using System.Net;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Correct;

/// <summary>
/// Real clients and a server of gRPC (grpc-js, grpc-web), installed once for the tests that use them.
/// </summary>
public sealed class GrpcPrograms : IAsyncLifetime
{
    private readonly TemporaryDirectory directory = new();
    private string? failure;
    private GrpcServer? shared; // The tests of a class run one after the other.

    public async ValueTask InitializeAsync()
    {
        if (Tools.Find("node") is null || Tools.Find("npm") is null) return; // Told by who needs them.
        foreach (var file in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Gateway", "Correct", "Grpc")))
            File.Copy(file, directory.Combine(Path.GetFileName(file)));
        using var install = Start("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent");
        var said = await install.StandardError.ReadToEndAsync();
        await install.WaitForExitAsync();
        if (install.ExitCode != 0) failure = said;
    }

    public async ValueTask DisposeAsync()
    {
        if (shared is not null) await shared.DisposeAsync();
        directory.Dispose();
    }

    /// <summary>Ends the test where they cannot run.</summary>
    public void Require()
    {
        Tools.Require("node", "nodejs");
        Tools.Require("npm", "npm");
        if (failure is not null) Tools.Unavailable($"The gRPC programs cannot be installed: {failure}");
    }

    /// <summary>A gRPC server for tests that leave it as it is.</summary>
    internal async Task<GrpcServer> SharedAsync() => shared ??= await ServeAsync();

    /// <summary>Runs the gRPC server until it is disposed.</summary>
    internal async Task<GrpcServer> ServeAsync()
    {
        var process = Start("node", "server.js");
        var port = await process.StandardOutput.ReadLineAsync().WaitAsync(Eventually.Patience);
        return new GrpcServer(
            process, new IPEndPoint(IPAddress.Loopback, int.Parse(port ?? "", CultureInfo.InvariantCulture)));
    }

    /// <summary>Runs one case of a client to its end; what it says.</summary>
    internal async Task<string> RunAsync(string program, IPEndPoint address, params string[] arguments)
    {
        using var process = Start("node", [program, address.ToString(), .. arguments]);
        try
        {
            var said = process.StandardOutput.ReadToEndAsync();
            var faults = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync().WaitAsync(Eventually.Patience);
            return (await said + await faults).Trim().ReplaceLineEndings(" | ");
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }

    private Process Start(string program, params string[] arguments) => Process.Start(new ProcessStartInfo(
        program, arguments)
    {
        UseShellExecute = false,
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        WorkingDirectory = directory.Path,
    })!; // Not null: it does not go through a shell.
}

/// <summary>A running gRPC server.</summary>
internal sealed class GrpcServer(Process process, IPEndPoint address) : IAsyncDisposable
{
    public IPEndPoint Address => address;

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
