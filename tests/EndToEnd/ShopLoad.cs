using System.Collections.Concurrent;
using System.Globalization;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.EndToEnd;

/// <summary>
/// Requests of three sorts through the gateway at a steady rate, whether or not those before have been answered: reads
/// of the catalog, writes to it (which nobody may repeat), and orders, whose service calls the catalog by name.
/// </summary>
internal sealed class ShopLoad : IDisposable
{
    /// <summary>Longer than the gateway allows any of them.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly HttpClient client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = Patience };
    private readonly ConcurrentBag<Sample> samples = [];
    private readonly ConcurrentBag<Task> running = [];
    private readonly string gateway;
    private readonly IReadOnlyList<string> products;
    private readonly int perSecond;
    private readonly long started = TimeProvider.System.GetTimestamp();
    private readonly string run = Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString("n");

    public ShopLoad(string gateway, IReadOnlyList<string> products, int perSecond)
    {
        this.gateway = gateway;
        this.products = products;
        this.perSecond = perSecond;
    }

    public enum Sort { Read, Write, Order }

    /// <param name="At">Since the load began.</param>
    /// <param name="Fault">Null when it was answered as it should be.</param>
    public sealed record Sample(Sort Sort, TimeSpan At, TimeSpan Took, string? Fault);

    public IReadOnlyCollection<Sample> Samples => samples;

    public TimeSpan Elapsed => TimeProvider.System.GetElapsedTime(started);

    /// <summary>Sends for so long, and waits for the last answer.</summary>
    public async Task RunAsync(TimeSpan length)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        var sent = 0;
        while (Elapsed < length)
        {
            // A machine that stood still catches up, so that the rate is kept over the whole.
            for (var due = (int)(Elapsed.TotalSeconds * perSecond); sent < due; sent++) running.Add(SendAsync(sent));
            await timer.WaitForNextTickAsync();
        }
        await Task.WhenAll(running);
    }

    public void Dispose() => client.Dispose();

    /// <summary>Of ten, seven read, two write, one orders.</summary>
    private async Task SendAsync(int number)
    {
        var sort = (number % 10) switch { 3 => Sort.Order, 5 or 8 => Sort.Write, _ => Sort.Read };
        var at = Elapsed;
        string? fault;
        try
        {
            using var request = Request(sort, number);
            using var response = await client.SendAsync(request);
            var body = await response.Content.ReadAsStringAsync();
            fault = IsAnswer(sort, response) ? null : $"{(int)response.StatusCode} {body}";
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
        {
            fault = failure.Message;
        }
        samples.Add(new Sample(sort, at, Elapsed - at, fault));
    }

    private HttpRequestMessage Request(Sort sort, int number) => sort switch
    {
        Sort.Read => new HttpRequestMessage(HttpMethod.Get, $"{gateway}/api/catalog/products"),
        Sort.Write => new HttpRequestMessage(HttpMethod.Post, $"{gateway}/api/catalog/products")
        {
            Content = new StringContent("a write"),
        },
        _ => RunningShop.Order(gateway, string.Create(CultureInfo.InvariantCulture, $"{run}-{number}"), products),
    };

    // The catalog takes no writes and says so itself: 405, which is its answer and not the gateway's.
    private static bool IsAnswer(Sort sort, HttpResponseMessage response) => sort == Sort.Write
        ? (int)response.StatusCode == 405
            && response.Content.Headers.ContentType?.MediaType != Kernel.Hosting.Problems.MediaType
        : response.IsSuccessStatusCode;
}
