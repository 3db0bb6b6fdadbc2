using System.IO.Compression;
using Groundwork.Kernel.Hosting;
using Groundwork.Presentation;
using Groundwork.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;


namespace Groundwork.Host.Pages;

/// <summary>
/// Serves the console under <c>/console/</c>. It is files and nothing else: what it shows and does it gets from the
/// API, with the credential of whoever sits in front of it.
/// </summary>
internal sealed class ConsolePages(ConsoleFiles files)
{
    private const string Root = "/console/";
    private const string WhyAnyone = "the console's files hold nothing that the repository does not";

    /// <summary>
    /// Scripts, requests and pictures of our own only; no page may put ours into a frame. Element Plus sets styles in
    /// the markup that it makes, so styles may be inline, which cannot run anything.
    /// </summary>
    private const string ContentPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        + "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
        + "frame-ancestors 'none'";

    private const string HowToGetIt =
        """
        <!doctype html><html lang="en"><meta charset="utf-8"><title>Groundwork</title>
        <h1>Groundwork is running</h1>
        <p>This build has no console: Node.js 20 was not there when it was built. Install it and build again
        (<code>dotnet build src/Host</code>). The API and the command line do everything the console does.</p>
        </html>
        """;

    public void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/", Welcome).AllowsAnyone(WhyAnyone).ExcludeFromDescription();
        endpoints.MapGet("/console/{**path}", Serve).AllowsAnyone(WhyAnyone).ExcludeFromDescription();
    }

    // Programs that ask for the root get what they got before; a person's browser is led to the console.
    private static IResult Welcome(HttpContext context)
    {
        if (context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase))
            return Results.Redirect(Root);
        return Problems.From(new Fault(
            ErrorCodes.NotFound,
            $"There is nothing at /; the API is under {Listeners.ApiRoot}, the console at {Root}."));
    }

    private async Task Serve(HttpContext context, string? path)
    {
        if (context.Request.Path == "/console")
        {
            context.Response.Redirect(Root);
            return;
        }
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = ContentPolicy;
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers.XFrameOptions = "DENY";
        if (!files.AreThere)
        {
            context.Response.ContentType = "text/html; charset=utf-8";
            await context.Response.WriteAsync(HowToGetIt, context.RequestAborted);
            return;
        }
        // An address of the console is the console's to understand; a file's name that there is not is an error.
        var file = files.Find(path is { Length: > 0 } ? path : ConsoleFiles.Page)
            ?? (Path.HasExtension(path) && path.StartsWith("assets/", StringComparison.Ordinal)
                ? null : files.Find(ConsoleFiles.Page));
        if (file is null)
        {
            await Problems.WriteAsync(context, new Fault(ErrorCodes.NotFound, $"The console has no {path}."));
            return;
        }
        await SendAsync(context, file);
    }

    private static async Task SendAsync(HttpContext context, ConsoleFile file)
    {
        var (request, response) = (context.Request, context.Response);
        response.Headers.ETag = $"\"{file.Tag}\"";
        response.Headers.CacheControl = file.IsImmutable ? "public, max-age=31536000, immutable" : "no-cache";
        response.Headers.Vary = "Accept-Encoding";
        if (request.Headers.IfNoneMatch.ToString().Contains(file.Tag, StringComparison.Ordinal))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        response.ContentType = file.MediaType;
        if (request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase))
        {
            response.Headers.ContentEncoding = "gzip";
            response.ContentLength = file.Gzipped.Length;
            await response.Body.WriteAsync(file.Gzipped, context.RequestAborted);
            return;
        }
        await using var plain = new GZipStream(new MemoryStream(file.Gzipped.ToArray()), CompressionMode.Decompress);
        await plain.CopyToAsync(response.Body, context.RequestAborted);
    }
}
