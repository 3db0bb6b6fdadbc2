using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Groundwork.Kernel.Hosting;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.Access.Tokens;

/// <summary>
/// Fetches an issuer's keys: at once, every so often, and when a token names one that is not known. While the address
/// is away the keys that are known stay, for a day.
/// </summary>
internal sealed partial class KeySetAddress : IDisposable
{
    /// <summary>Bytes of a key set; sixteen keys with their certificates have a tenth.</summary>
    private const int MaxBytes = 256 * 1_024;

    /// <summary>One fetch in all: who waits for it has no longer.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>Between two fetches, whoever asks: a stranger can invent names of keys without end.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    /// <summary>Keys that could not be fetched again for so long count no more: one may have been stolen.</summary>
    private static readonly TimeSpan Stale = TimeSpan.FromDays(1);

    private readonly Uri address;
    private readonly TokenIssuer issuer;
    private readonly TimeSpan refresh;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly HttpClient http;
    private readonly CancellationTokenSource stopping = new();
    private readonly SemaphoreSlim called = new(0, 1);
    private readonly Lock gate = new();
    private TaskCompletionSource? wanted; // Done with the fetch that is under way, or the next. Under the gate.
    private long? lastFetch; // When it began. Under the gate.
    private Task running = Task.CompletedTask;
    private bool isFailing; // Of the loop.
    private long lastSuccess; // Of the loop.

    public KeySetAddress(
        TokenIssuer issuer, TokenIssuerSpec spec, AddressGuard guard, TimeProvider time, ILogger logger)
    {
        address = new Uri(spec.KeySetAddress!); // Made for one that has it.
        this.issuer = issuer;
        refresh = TimeSpan.FromSeconds(spec.RefreshSeconds);
        this.time = time;
        this.logger = logger;
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = new GuardedConnector(guard).OpenAsync,
            AllowAutoRedirect = false, // Where the keys are is the operator's to say.
            UseProxy = false,
            UseCookies = false,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(5),
        };
        if (spec.Authorities is { } pem && ReadAuthorities(pem) is { } authorities)
        {
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            policy.CustomTrustStore.AddRange(authorities);
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        }
        http = new HttpClient(handler) { MaxResponseContentBufferSize = MaxBytes, Timeout = Patience };
        lastSuccess = time.GetTimestamp();
    }

    /// <summary>What is wrong with an address; null when nothing is.</summary>
    public static string? Explain(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.UserInfo.Length == 0 && uri.Fragment.Length == 0
            && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback))
            ? null
            : "must be an https address; http only on this machine, since anybody between could change the keys";

    /// <summary>Certificates in PEM; null when there is none.</summary>
    public static X509Certificate2Collection? ReadAuthorities(string pem)
    {
        var found = new X509Certificate2Collection();
        try
        {
            found.ImportFromPem(pem);
        }
        catch (CryptographicException)
        {
            return null;
        }
        return found.Count == 0 ? null : found;
    }

    /// <summary>Begins to fetch, and goes on until it is disposed.</summary>
    public void Start() => running = Task.Run(RunAsync);

    /// <summary>
    /// Has the keys fetched once more, and waits for it. False at once when that was done a moment ago.
    /// </summary>
    public async ValueTask<bool> FetchAgainAsync()
    {
        Task fetched;
        lock (gate)
        {
            if (wanted is null)
            {
                if (lastFetch is { } last && time.GetElapsedTime(last) < Pause) return false;
                wanted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                if (called.CurrentCount == 0) called.Release();
            }
            fetched = wanted.Task;
        }
        await fetched;
        return true;
    }

    public void Dispose()
    {
        stopping.Cancel(); // The loop ends by it; nobody has to wait until it has.
        lock (gate) wanted?.TrySetResult();
    }

    private async Task RunAsync()
    {
        try
        {
            while (!stopping.IsCancellationRequested)
            {
                lock (gate)
                {
                    wanted ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    lastFetch = time.GetTimestamp();
                }
                try
                {
                    await FetchAsync();
                }
                finally
                {
                    lock (gate)
                    {
                        wanted.TrySetResult();
                        wanted = null;
                    }
                }
                using var over = new CancellationTokenSource(isFailing && refresh > Pause ? Pause : refresh, time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, stopping.Token);
                try
                {
                    await called.WaitAsync(either.Token);
                }
                catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
                {
                    // It is time for the next.
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
        finally
        {
            http.Dispose();
        }
    }

    private async Task FetchAsync()
    {
        try
        {
            using var answer = await http.GetAsync(address, stopping.Token);
            var body = await answer.Content.ReadAsByteArrayAsync(stopping.Token);
            await Task.Yield(); // Off the sockets' thread, which has others to serve.
            if (answer.StatusCode != HttpStatusCode.OK)
            {
                Fail($"it answers {(int)answer.StatusCode}");
                return;
            }
            var (keys, wrong) = KeySetText.Read(body, issuer.Algorithms);
            if (wrong is not null)
            {
                Fail($"what it answers {wrong}");
                return;
            }
            issuer.Take(keys);
            lastSuccess = time.GetTimestamp();
            if (isFailing) LogFetched(logger, issuer.Key.ToString());
            isFailing = false;
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or SocketException
            or AddressForbiddenException || (fault is OperationCanceledException && !stopping.IsCancellationRequested))
        {
            Fail(fault is OperationCanceledException ? "it does not answer in time" : fault.Message);
        }
    }

    private void Fail(string reason)
    {
        if (!isFailing) LogFailing(logger, issuer.Key.ToString(), reason);
        isFailing = true;
        if (time.GetElapsedTime(lastSuccess) >= Stale) issuer.Take([]);
    }

    [LoggerMessage(1, LogLevel.Warning, "The keys of the {Issuer} cannot be fetched: {Reason}")]
    private static partial void LogFailing(ILogger logger, string issuer, string reason);

    [LoggerMessage(2, LogLevel.Information, "The keys of the {Issuer} are fetched again")]
    private static partial void LogFetched(ILogger logger, string issuer);
}
