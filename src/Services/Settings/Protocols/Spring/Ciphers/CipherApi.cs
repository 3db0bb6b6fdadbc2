using System.Net;
using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Services.Settings.Protocols.Spring.Ciphers;

/// <summary>
/// <c>/encrypt</c> and <c>/decrypt</c> of Spring's server. Encrypting takes <c>read</c> on the key, decrypting
/// <c>read-secret</c>.
/// </summary>
internal sealed class CipherApi(CipherKeys keys, ProtocolCallers callers, AuditLog? audit, TimeProvider time)
{
    private const string Why =
        "Spring's clients expect errors in Spring's shape: the credential, and the right to the key, are checked "
        + "inside";

    public void Map(IEndpointRouteBuilder endpoints, string at)
    {
        void Post(string pattern, Func<HttpContext, Task> answer, string id, string summary) => endpoints
            .MapPost(pattern, (Delegate)((HttpContext context) => answer(context)))
            .WithTags("Spring Cloud Config").Describe<string>($"{at}{id}", summary).AllowsAnyone(Why);

        Post("/encrypt", EncryptAsync, "Encrypt", "The body, encrypted under a cipher key.");
        Post("/encrypt/{application}/{profiles}", EncryptAsync, "EncryptFor", "The same.");
        Post("/decrypt", DecryptAsync, "Decrypt", "The body, decrypted.");
        Post("/decrypt/{application}/{profiles}", DecryptAsync, "DecryptFor", "The same.");
        endpoints.MapGet("/encrypt/status", (Delegate)((HttpContext context) => StatusAsync(context)))
            .WithTags("Spring Cloud Config").Describe<string>($"{at}EncryptStatus", "Whether there is a key.")
            .AllowsAnyone(Why);
    }

    private async Task EncryptAsync(HttpContext context)
    {
        if (await ReadAsync(context) is not { } sent) return;
        var text = keys.Split(sent, out var name);
        if (await FindAsync(context, name, Verb.Read) is not { } cipher) return;
        var encrypted = cipher.Encrypt(text);
        await BootAnswers.TextAsync(
            context, text == sent || name is null ? encrypted : CipherKeys.WithName(name, encrypted));
    }

    private async Task DecryptAsync(HttpContext context)
    {
        if (await ReadAsync(context) is not { } sent) return;
        if (sent.StartsWith(CipherValues.Prefix, StringComparison.Ordinal)) sent = sent[CipherValues.Prefix.Length..];
        var text = keys.Split(sent.Trim(), out var name);
        if (await FindAsync(context, name, Verb.ReadSecret) is not { } cipher) return;
        if (cipher.Decrypt(text) is not { } clear)
        {
            await SayAsync(context, StatusCodes.Status400BadRequest, "INVALID", "Text not encrypted with this key");
            return;
        }
        audit?.Append(new AuditEvent(
            context.Principal().Name, "secret-read", Target(name).ToString(), AuditLog.Ok, RequestAddress.Of(context)));
        await BootAnswers.TextAsync(context, clear);
    }

    private async Task StatusAsync(HttpContext context)
    {
        var asked = await callers.AskAsync(context);
        if (!asked.TryGet(out _, out var fault))
        {
            await BootAnswers.FailAsync(context, fault, time);
            return;
        }
        keys.Split("", out var name);
        if (await FindAsync(context, name, Verb.Read) is not null)
            await SayAsync(context, StatusCodes.Status200OK, "OK", null);
    }

    /// <summary>The key, if the caller may; else null, and it is answered.</summary>
    private async Task<SpringCipher?> FindAsync(HttpContext context, string? name, Verb verb)
    {
        if (callers.Check(context, verb, Target(name)) is { } refused)
        {
            await BootAnswers.FailAsync(context, refused, time);
            return null;
        }
        if (keys.Find(name) is { } cipher) return cipher;
        await SayAsync(
            context, StatusCodes.Status404NotFound, "NO_KEY", "No key was installed for encryption service");
        return null;
    }

    /// <summary>The body of a caller that is known; else null, and it is answered.</summary>
    private async Task<string?> ReadAsync(HttpContext context)
    {
        var asked = await callers.AskAsync(context);
        if (!asked.TryGet(out _, out var fault))
        {
            await BootAnswers.FailAsync(context, fault, time);
            return null;
        }
        var read = await SentBody.ReadAsync(context, SpringCipher.MaxBytes);
        if (!read.TryGet(out var bytes, out fault))
        {
            await BootAnswers.FailAsync(context, fault, time);
            return null;
        }
        var text = Encoding.UTF8.GetString(bytes);
        // What curl sends unless told otherwise is called a form, and ends in = where a program made one of it.
        if (!context.Request.HasFormContentType) return text;
        text = WebUtility.UrlDecode(text.Replace("+", "%2B", StringComparison.Ordinal));
        return text.EndsWith('=') ? text[..^1] : text;
    }

    private static ResourceKey Target(string? name) => new(CipherKeyKind.Name, "", name ?? CipherKeyKind.Default);

    private static Task SayAsync(HttpContext context, int status, string state, string? description)
    {
        context.Response.StatusCode = status;
        var body = description is null
            ? $$"""{"status":"{{state}}"}"""
            : $$"""{"description":"{{JsonEncodedText.Encode(description)}}","status":"{{state}}"}""";
        return BootAnswers.WriteAsync(context, Encoding.UTF8.GetBytes(body), BootAnswers.JsonType);
    }
}
