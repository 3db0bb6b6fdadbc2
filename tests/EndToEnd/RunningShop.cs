using System.Collections.Immutable;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Groundwork.Kernel.Hosting;
using Groundwork.Tests.Support;
using Groundwork.Wire;

namespace Groundwork.Tests.EndToEnd;

/// <summary>
/// <c>groundwork up samples/Shop</c> with the real executable, and what a user sees of it. Its services keep their
/// files beside their projects, so classes that run it belong to the collection <see cref="Collection"/>.
/// </summary>
public sealed class RunningShop : IAsyncLifetime
{
    /// <summary>Classes of one collection do not run at the same time.</summary>
    public const string Collection = "the shop";

    private readonly TemporaryDirectory directory = new();
    private GroundworkProcess? process;

    internal GroundworkProcess Up => process ?? throw new InvalidOperationException("The shop has not started.");

    /// <summary>Variables that the executable gets beside this process's.</summary>
    internal IReadOnlyDictionary<string, string> Environment { get; init; } = ImmutableDictionary<string, string>.Empty;

    internal HttpClient Outside { get; } = new();

    internal string Gateway => Up.Node.Listeners["gateway"];

    public async ValueTask InitializeAsync()
    {
        process = GroundworkProcess.Start(
            directory.Combine("data"), Environment, "up",
            Path.Combine(GroundworkProcess.Repository, "samples", "Shop"));
        await IsWholeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Outside.Dispose();
        if (process is not null) await process.DisposeAsync();
        directory.Dispose();
    }

    /// <summary>
    /// Waits until every service answers and both instances of the catalog are registered and healthy.
    /// </summary>
    internal Task IsWholeAsync() => Eventually.TrueAsync(
        async () =>
        {
            if (Up.HasExited) Assert.Fail($"up ended:\n{Up.Output}");
            return await AnswersAsync();
        },
        "the shop answers through the gateway", TimeSpan.FromMinutes(4));

    /// <summary>Applies resources, as a user does.</summary>
    internal async Task ApplyAsync(string yaml)
    {
        var (exit, output, error) = await Up.VerbAsync("", "apply", "-f", directory.Write("applied.yaml", yaml));
        Assert.True(exit == 0, output + error);
    }

    internal async Task<JsonNode> ProductsAsync() =>
        JsonNode.Parse(await Outside.GetStringAsync($"{Gateway}/api/catalog/products"))!;

    /// <summary>An order of two of each product.</summary>
    internal static HttpRequestMessage Order(string gateway, string clientOrderId, IEnumerable<string> products)
    {
        var lines = products.Select(product => new { productId = product, quantity = 2 });
        var request = new HttpRequestMessage(HttpMethod.Post, $"{gateway}/api/orders/")
        {
            Content = JsonContent.Create(new { lines }),
        };
        request.Headers.Add(HeaderNames.IdempotencyKey, clientOrderId);
        return request;
    }

    internal async Task<List<string>> ProductIdsAsync() =>
    [
        .. (await ProductsAsync())["products"]!.AsArray()
            .Take(2)
            .Select(product => product!["id"]!.GetValue<string>()),
    ];

    /// <summary>Processes of the catalog's instances.</summary>
    internal List<int> CatalogPids() =>
        [.. Children().Where(pid => CommandLine(pid).Contains("catalog", StringComparison.OrdinalIgnoreCase)).Order()];

    internal List<int> Children()
    {
        var children = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), out var pid)) continue;
            try
            {
                var fields = File.ReadAllText(Path.Combine(folder, "stat"))
                    .Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (int.Parse(fields[1], CultureInfo.InvariantCulture) == Up.Id && fields[0] != "Z") children.Add(pid);
            }
            catch (IOException)
            {
                // It ended while we looked.
            }
        }
        return children;
    }

    internal static bool Lives(int pid) => Directory.Exists($"/proc/{pid}");

    private static string CommandLine(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline");
        }
        catch (IOException)
        {
            return "";
        }
    }

    private async Task<bool> AnswersAsync()
    {
        if (NodeFile.Read(Up.DataDirectory) is null) return false;
        try
        {
            using var products = await Outside.GetAsync($"{Gateway}/api/catalog/products");
            using var orders = await Outside.GetAsync($"{Gateway}/api/orders/");
            if (!products.IsSuccessStatusCode || !orders.IsSuccessStatusCode || CatalogPids().Count != 2) return false;
            using var local = Up.Local();
            var catalog = await local.GetFromJsonAsync(
                "registry/services/default/catalog", WireJson.Lenient.ServiceDocument);
            return catalog?.Instances.Count(instance =>
                instance.Status == "up" && instance.Health?.State is null or "healthy") == 2;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
