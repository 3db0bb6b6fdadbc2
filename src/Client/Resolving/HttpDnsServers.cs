using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;

namespace Groundwork.Client.Resolving;

/// <summary>
/// The servers, of which one is asked until it fails; then the next, for everybody. When a whole request has failed
/// nobody asks for a while but one, once in thirty seconds, who finds out whether they are back.
/// </summary>
internal sealed class HttpDnsServers : IDisposable
{
    /// <summary>While no server answers, one request may try in so long.</summary>
    private static readonly TimeSpan SniffInterval = TimeSpan.FromSeconds(30);

    /// <summary>Bytes of an answer: five names with some dozens of addresses are some kilobytes.</summary>
    private const int MaxAnswerBytes = 256 * 1024;

    private readonly HttpDnsOptions options;
    private readonly HttpClient client;
    private readonly Lock gate = new();
    private int cursor; // Under the gate.
    private bool sniffing; // The same.
    private long sniffedAt; // The same.

    [SuppressMessage("Reliability", "CA2000", Justification = "The client disposes its handler.")]
    public HttpDnsServers(HttpDnsOptions options)
    {
        this.options = options;
        var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false };
        // By address there is no name to check a certificate against: it is the identity that is configured.
        if (options.ServerIdentity is { } identity)
            handler.SslOptions = new SslClientAuthenticationOptions { TargetHost = identity };
        client = new HttpClient(handler) { MaxResponseContentBufferSize = MaxAnswerBytes };
        client.Timeout = Timeout.InfiniteTimeSpan;
    }

    public void Dispose() => client.Dispose();

    /// <summary>Asks the server in place and, when it fails, once the next; null when neither answered.</summary>
    public async Task<string?> AskAsync(string pathAndQuery, CancellationToken cancellationToken)
    {
        if (!MayAsk()) return null;
        for (var tries = 0; tries < 2; tries++)
        {
            int at;
            lock (gate) at = cursor;
            if (await TryAskAsync(options.Servers[at], pathAndQuery, cancellationToken) is { } answer)
            {
                lock (gate) sniffing = false;
                return answer;
            }
            lock (gate)
                if (cursor == at) cursor = (at + 1) % options.Servers.Count;
        }
        lock (gate) (sniffing, sniffedAt) = (true, options.Time.GetTimestamp());
        return null;
    }

    private bool MayAsk()
    {
        lock (gate)
        {
            if (!sniffing) return true;
            if (options.Time.GetElapsedTime(sniffedAt) < SniffInterval) return false;
            sniffedAt = options.Time.GetTimestamp(); // This one tries; the others go on without.
            return true;
        }
    }

    private async Task<string?> TryAskAsync(Uri server, string pathAndQuery, CancellationToken cancellationToken)
    {
        using var bound = new CancellationTokenSource(options.Timeout, options.Time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(bound.Token, cancellationToken);
        try
        {
            using var answer = await client.GetAsync(new Uri(server, pathAndQuery), patience.Token);
            // A refusal is an answer: another server would say the same.
            return answer.StatusCode < HttpStatusCode.InternalServerError
                ? await answer.Content.ReadAsStringAsync(patience.Token)
                : null;
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException
            && !cancellationToken.IsCancellationRequested)
        {
            return null; // The next one, then.
        }
    }
}
