using System.Globalization;

namespace Groundwork.Host.Up;

/// <summary>
/// Asks one instance whether it can work. Each look is a connection of its own, as a new caller's would be.
/// </summary>
internal sealed class HealthProbe : IDisposable
{
    private readonly HttpClient client;
    private readonly TimeSpan timeout;
    private readonly TimeProvider time;

    public HealthProbe(int port, string path, TimeSpan timeout, TimeProvider time)
    {
        this.timeout = timeout;
        this.time = time;
        client = new HttpClient(new SocketsHttpHandler
        {
            PooledConnectionLifetime = TimeSpan.Zero,
            UseProxy = false,
            AllowAutoRedirect = false,
        })
        {
            BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}{path}")),
        };
    }

    /// <summary>Null when the answer was 2xx, else what was wrong.</summary>
    public async Task<string?> AskAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            using var answer = await client.GetAsync(
                client.BaseAddress, HttpCompletionOption.ResponseHeadersRead, either.Token);
            return answer.IsSuccessStatusCode ? null : $"health answers {(int)answer.StatusCode}";
        }
        catch (HttpRequestException fault)
        {
            return fault.HttpRequestError == HttpRequestError.ConnectionError
                ? "health cannot be connected"
                : $"health breaks off: {fault.Message}";
        }
        catch (OperationCanceledException)
        {
            return $"health does not answer within {timeout.TotalSeconds:0.##} s";
        }
    }

    public void Dispose() => client.Dispose();
}
