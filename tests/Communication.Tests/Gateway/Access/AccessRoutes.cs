using System.Text.Json;
using Groundwork.Communication.Gateway;

namespace Groundwork.Communication.Tests.Gateway.Access;

/// <summary>What the tests of access do again and again.</summary>
internal static class AccessRoutes
{
    public static TestEdge RouteWith(this TestEdge edge, AccessSpec access) =>
        edge.RouteAll(spec => spec with { Access = access });

    /// <summary>The code of a refusal.</summary>
    public static async Task<string?> CodeAsync(this HttpResponseMessage answer)
    {
        using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return document.RootElement.GetProperty("code").GetString();
    }

    /// <summary>What the caller is told.</summary>
    public static async Task<string?> DetailAsync(this HttpResponseMessage answer)
    {
        using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return document.RootElement.GetProperty("detail").GetString();
    }

    public static async Task<HttpResponseMessage> SendAsync(
        this TestEdge edge, string? token, params (string Name, string Value)[] fields)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        if (token is not null) request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        foreach (var (name, value) in fields) request.Headers.TryAddWithoutValidation(name, value);
        return await edge.Client.SendAsync(request);
    }
}
