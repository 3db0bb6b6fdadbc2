namespace Groundwork.Client.Tests.TypedClients;

/// <summary>
/// A client with every kind of parameter and result, written by the generator when this project builds.
/// </summary>
[ServiceClient("warehouse")]
public partial interface IWarehouse
{
    const string Unit = "piece";

    [Get("/items/{id}")]
    Task<Item?> FindItemAsync(string id, CancellationToken cancellationToken);

    [Get("/items/{id}")]
    Task<Item> GetItemAsync(string id);

    [Get("/items/{id}/count")]
    Task<int?> FindCountAsync(string id);

    [Post("/items")]
    Task<Item> AddAsync([Body] Item item, [Header("Idempotency-Key")] Guid key, CancellationToken cancellationToken);

    [Put("/items/{id}")]
    Task ReplaceAsync(string id, [Body] Item? item);

    [Patch("/items/{id}")]
    Task<string> PatchAsync(string id, [Body] HttpContent patch);

    [Delete("/items/{class}/{event}")]
    Task RemoveAsync(int @class, Colour @event);

    [Head("/items/{id}")]
    Task<HttpResponseMessage> HeadAsync(string id);

    [Get("/echo/{**path}")]
    Task<string> EchoAsync(
        string path,
        [Query] string? text = null,
        [Query("n")] int? number = null,
        [Query] bool? isOpen = null,
        [Query] DateTimeOffset? since = null,
        [Query] IReadOnlyList<string?>? tags = null,
        [Query] Colour[]? colours = null,
        [Header("X-Tenant")] string? tenant = null);

    [Get("/text/{id}")]
    Task<string?> FindTextAsync(string id);

    [Get("/text/{id}")]
    Task<byte[]?> FindBytesAsync(string id);

    [Get("/text/{id}")]
    Task<byte[]> GetBytesAsync(string id);

    [Get("/text/{id}")]
    Task<Stream> OpenAsync(string id);

    [Get("/text/{id}")]
    Task<Stream?> FindStreamAsync(string id);

    [Post("/stream")]
    Task<string> UploadAsync([Body] Stream content);

    [Get("/failures/{status}")]
    Task<Item?> FailAsync(int status);

    [Get("/html")]
    Task<Item> GetHtmlAsync();

    [Get("/nothing")]
    Task<Item> GetNothingAsync();

    [Get("/nothing")]
    Task<Item?> FindNothingAsync();

    [Get("/method")]
    Task<IReadOnlyDictionary<string, List<int?>>> ReadNestedAsync();

    /// <summary>Not for the client to write.</summary>
    async Task<int> CountOrZeroAsync(string id) => await FindCountAsync(id) ?? 0;
}

public enum Colour
{
    Red,
    Green,
}

public sealed record Item(string Id, string Name, decimal Price, Colour Colour = Colour.Red);
