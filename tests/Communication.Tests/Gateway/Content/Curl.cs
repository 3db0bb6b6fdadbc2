using System.Diagnostics;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Content;

/// <summary>curl, as somebody else's reader of what the gateway writes.</summary>
internal static class Curl
{
    /// <summary>What it writes; the test fails when it fails.</summary>
    public static async Task<string> RunAsync(params IEnumerable<string> arguments)
    {
        using var curl = Process.Start(new ProcessStartInfo(
            Tools.Require("curl", "curl"), ["--silent", "--show-error", "--noproxy", "*", .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        }) ?? throw new IOException("curl did not start.");
        var output = curl.StandardOutput.ReadToEndAsync();
        var error = await curl.StandardError.ReadToEndAsync();
        await curl.WaitForExitAsync();
        Assert.True(curl.ExitCode == 0, error);
        return await output;
    }
}
