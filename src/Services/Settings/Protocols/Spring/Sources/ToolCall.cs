using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using Groundwork.Wire;

namespace Groundwork.Services.Settings.Protocols.Spring.Sources;

/// <summary>
/// One run of a program of others: arguments as a list, an environment of its own, bounds on time and on what it says,
/// and an end for it and all that it has started.
/// </summary>
/// <param name="Environment">All of it; nothing of ours is passed on but PATH.</param>
/// <param name="Input">What it reads; null: nothing.</param>
internal sealed record ToolCall(
    string Program, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Environment, TimeSpan Limit,
    byte[]? Input = null)
{
    /// <summary>Bytes that it may say.</summary>
    public int MaxOutputBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Asked now and then while it runs: why it must end; null: it may go on.</summary>
    public Func<string?>? Watch { get; init; }

    /// <summary>Never to be seen in a message.</summary>
    public string? Secret { get; init; }

    private const int MaxFaultText = 400;

    private static readonly TimeSpan WatchEvery = TimeSpan.FromMilliseconds(100);

    /// <summary>After it was killed: what holds its pipes now is not waited for.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(5);

    /// <summary>What it said; or what it complained of, that it took too long, or that it is not installed.</summary>
    public async Task<Outcome<byte[]>> RunAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        using var process = new Process { StartInfo = StartInfo() };
        try
        {
            process.Start();
        }
        catch (Win32Exception failure)
        {
            return Failed($"cannot be started: {failure.Message}");
        }
        using var limit = new CancellationTokenSource(Limit, time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        string? why = null;
        var said = ReadAsync(process.StandardOutput.BaseStream, MaxOutputBytes, ending.Token);
        var complained = ReadTailAsync(process.StandardError.BaseStream, ending.Token);
        try
        {
            await WriteAsync(process, ending.Token);
            why = await WaitAsync(process, said, time, ending.Token);
            if (why is null)
            {
                var complaint = await complained.WaitAsync(Limit, time, ending.Token);
                var output = await said.WaitAsync(Limit, time, ending.Token);
                if (process.ExitCode == 0) return output;
                return Failed($"ended with {process.ExitCode}: {complaint}");
            }
        }
        catch (OperationCanceledException) when (
            limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            why = $"took longer than {Limit.TotalSeconds:0.#} s";
        }
        catch (InvalidDataException tooMuch)
        {
            why = tooMuch.Message;
        }
        catch (IOException broken)
        {
            why = broken.Message;
        }
        finally
        {
            await EndAsync(process, ending, [said, complained], time);
        }
        return Failed(why);
    }

    private ProcessStartInfo StartInfo()
    {
        var start = new ProcessStartInfo(Program, Arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var path = start.Environment.TryGetValue("PATH", out var known) ? known : null;
        start.Environment.Clear();
        start.Environment["PATH"] = path ?? "/usr/bin:/bin";
        start.Environment["LC_ALL"] = "C";
        foreach (var (name, value) in Environment) start.Environment[name] = value;
        return start;
    }

    private async Task WriteAsync(Process process, CancellationToken cancellationToken)
    {
        if (Input is not null) await process.StandardInput.BaseStream.WriteAsync(Input, cancellationToken);
        process.StandardInput.Close();
    }

    private async Task<string?> WaitAsync(
        Process process, Task<byte[]> said, TimeProvider time, CancellationToken cancellationToken)
    {
        var exit = process.WaitForExitAsync(cancellationToken);
        while (!exit.IsCompleted)
        {
            if (Watch?.Invoke() is { } reason) return reason;
            if (said.IsFaulted) await said; // It says too much; the exception tells.
            await Task.WhenAny(exit, Task.Delay(WatchEvery, time, cancellationToken));
        }
        await exit;
        return Watch?.Invoke();
    }

    // The program, and what it has started: a transport of git would go on without it.
    private static async Task EndAsync(
        Process process, CancellationTokenSource ending, Task[] readers, TimeProvider time)
    {
        try
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
            await ending.CancelAsync();
            await Task.WhenAll(readers).WaitAsync(Farewell, time, CancellationToken.None);
        }
        catch (Exception ended) when (ended is OperationCanceledException or TimeoutException or InvalidDataException
            or IOException or InvalidOperationException or Win32Exception)
        {
            // Whatever the pipes still had is of no use: the call has its outcome.
        }
    }

    private static async Task<byte[]> ReadAsync(Stream stream, int most, CancellationToken cancellationToken)
    {
        using var all = new MemoryStream();
        var buffer = new byte[16 * 1024];
        for (int read; (read = await stream.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            all.Write(buffer, 0, read);
            if (all.Length > most) throw new InvalidDataException($"says more than {most} bytes");
        }
        return all.ToArray();
    }

    private static async Task<string> ReadTailAsync(Stream stream, CancellationToken cancellationToken)
    {
        var tail = "";
        var buffer = new byte[4 * 1024];
        for (int read; (read = await stream.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            tail += Encoding.UTF8.GetString(buffer, 0, read);
            if (tail.Length > 16 * 1024) tail = tail[^(8 * 1024)..];
        }
        return tail;
    }

    private Fault Failed(string? why)
    {
        var text = new string([.. (why ?? "was ended").Select(c => char.IsControl(c) ? ' ' : c)]).Trim();
        if (Secret is { Length: > 0 }) text = text.Replace(Secret, "***", StringComparison.Ordinal);
        if (text.Length > MaxFaultText) text = text[..MaxFaultText] + "…";
        return new Fault(ErrorCodes.SourceUnavailable, $"{Path.GetFileName(Program)} {text}");
    }
}
