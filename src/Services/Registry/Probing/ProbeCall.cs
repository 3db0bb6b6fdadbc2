using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Groundwork.Kernel.Hosting;
using Groundwork.Services.Registry.Policies;

namespace Groundwork.Services.Registry.Probing;

/// <summary>
/// Makes one probe: a connection of its own each time, because that an instance takes connections is a part of what is
/// asked. Addresses that nothing may have us call are a failure of the instance that names them.
/// </summary>
internal sealed class ProbeCall : IDisposable
{
    /// <summary>KiB of an answer's head; a health page has no more.</summary>
    private const int MaxHeadKilobytes = 16;

    private readonly GuardedConnector connector;
    private readonly HttpClient client;
    private readonly TimeProvider time;

    public ProbeCall(AddressGuard guard, TimeProvider time)
    {
        this.time = time;
        connector = new GuardedConnector(guard);
        client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = connector.OpenAsync,
            AllowAutoRedirect = false, // Where it points to has not been asked about.
            UseProxy = false,
            UseCookies = false,
            ActivityHeadersPropagator = null,
            MaxResponseHeadersLength = MaxHeadKilobytes,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan, // Each probe has its own.
            DefaultRequestHeaders = { UserAgent = { new("groundwork-prober", null) }, ConnectionClose = true },
        };
    }

    public void Dispose() => client.Dispose();

    /// <summary>Null when the instance is well; else what is wrong, for people.</summary>
    public async Task<string?> MakeAsync(Instance instance, ProbeSpec probe, CancellationToken cancellationToken)
    {
        var port = instance.Port;
        if (probe.Port is { } named && !instance.Ports.TryGetValue(named, out port))
            return $"it has no port named {named}";
        var patience = TimeSpan.FromMilliseconds(probe.TimeoutMs);
        if (probe.Type == "tcp") return await ConnectAsync(instance.Host, port, patience, cancellationToken);
        string? found = null;
        var failed = await TryAsync(
            async token => found = await GetAsync(instance, port, probe, token), patience, cancellationToken);
        return failed ?? found;
    }

    /// <summary>Connects and hangs up. Null when that went well; else what is wrong, for people.</summary>
    public Task<string?> ConnectAsync(string host, int port, TimeSpan patience, CancellationToken cancellationToken) =>
        TryAsync(
            async token =>
            {
                using var socket = await connector.ConnectAsync(host, port, token);
            },
            patience, cancellationToken);

    /// <summary>
    /// The status that a URL answers with, or what is wrong, for people. Nothing of the body is read.
    /// </summary>
    public async Task<(HttpStatusCode? Status, string? Wrong)> AskAsync(
        Uri url,
        HttpMethod method,
        IReadOnlyDictionary<string, IReadOnlyList<string>>? header,
        TimeSpan patience,
        CancellationToken cancellationToken)
    {
        HttpStatusCode? status = null;
        var failed = await TryAsync(
            async token =>
            {
                using var request = new HttpRequestMessage(method, url);
                foreach (var (name, values) in header ?? new Dictionary<string, IReadOnlyList<string>>())
                    request.Headers.TryAddWithoutValidation(name, values);
                using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
                status = answer.StatusCode;
            },
            patience, cancellationToken);
        return (failed is null ? status : null, failed);
    }

    private async Task<string?> TryAsync(
        Func<CancellationToken, Task> make, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            await make(either.Token);
            return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return string.Create(CultureInfo.InvariantCulture, $"no answer within {timeout.TotalMilliseconds:0} ms");
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or SocketException
            or AddressForbiddenException)
        {
            var cause = failure;
            while (cause.InnerException is { } inner) cause = inner;
            return cause is AddressForbiddenException
                ? $"it is not probed, because {cause.Message}"
                : $"no connection or answer: {cause.Message}";
        }
    }

    private async Task<string?> GetAsync(
        Instance instance, int port, ProbeSpec probe, CancellationToken cancellationToken)
    {
        var path = probe.Path ?? "/";
        var host = instance.Host.Contains(':', StringComparison.Ordinal) ? $"[{instance.Host}]" : instance.Host;
        // Written as one text: a path that begins with // would name another host, were it resolved against a base.
        var url = new Uri($"{instance.Scheme}://{host}:{Text(port)}{path}");
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        using var answer = await client.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        var (from, to) = ServicePolicyKind.ReadStatus(probe.ExpectedStatus) ?? (200, 299);
        var status = (int)answer.StatusCode;
        return status >= from && status <= to
            ? null
            : $"GET {path} answered {Text(status)}, expected {probe.ExpectedStatus ?? "200-299"}";
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
