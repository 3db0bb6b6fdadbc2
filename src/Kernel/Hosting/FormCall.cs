using System.Buffers;
using System.Text;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Groundwork.Kernel.Hosting;

/// <summary>
/// A call of a protocol whose parameters stand in the query or in a form, as its clients please; the query counts
/// first. Nothing of it is logged: a parameter may be a password.
/// </summary>
public sealed class FormCall
{
    /// <summary>Parameters of one form: the longest calls of known protocols have about twenty.</summary>
    public const int MaxFields = 256;

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly Dictionary<string, string>? form;

    private FormCall(HttpContext context, Dictionary<string, string>? form)
    {
        Context = context;
        this.form = form;
    }

    public HttpContext Context { get; }

    /// <summary>A parameter as it was sent first; null when it was not.</summary>
    public string? this[string name] =>
        Context.Request.Query.TryGetValue(name, out var values) && values.Count > 0
            ? values[0]
            : form?.GetValueOrDefault(name);

    /// <summary>A parameter of the form alone; null when it was not sent so.</summary>
    public string? InForm(string name) => form?.GetValueOrDefault(name);

    /// <summary>A parameter that says something; null when it is absent or empty.</summary>
    public string? Given(string name) => this[name] is { Length: > 0 } text ? text : null;

    /// <summary>Reads the form, if there is one. A body of another type is left alone.</summary>
    /// <returns><c>body_too_large</c>, or <c>bad_request</c> for what is not UTF-8 or has too many fields.</returns>
    public static async ValueTask<Outcome<FormCall>> ReadAsync(HttpContext context, int maxBodyBytes)
    {
        var request = context.Request;
        if (!HasForm(request)) return new FormCall(context, null);
        var tooLarge = new Fault(ErrorCodes.BodyTooLarge, $"The body is over {maxBodyBytes} bytes.");
        if (request.ContentLength > maxBodyBytes) return tooLarge;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = maxBodyBytes;
        try
        {
            while (true)
            {
                var read = await request.BodyReader.ReadAsync(context.RequestAborted);
                if (!read.IsCompleted)
                {
                    request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                    continue;
                }
                var parsed = Parse(read.Buffer);
                request.BodyReader.AdvanceTo(read.Buffer.End);
                return parsed.TryGet(out var fields, out var fault) ? new FormCall(context, fields) : fault;
            }
        }
        catch (BadHttpRequestException bad)
        {
            return bad.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? tooLarge
                : new Fault(ErrorCodes.BadRequest, "The body cannot be read.");
        }
    }

    /// <summary>Answers with a whole body.</summary>
    public static Task AnswerAsync(HttpContext context, int status, string mediaType, ReadOnlyMemory<byte> body)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = mediaType;
        response.ContentLength = body.Length;
        response.Headers.CacheControl = "no-store";
        return response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    private static bool HasForm(HttpRequest request) =>
        request.ContentLength is not 0
        && (request.ContentLength is > 0 || request.Headers.TransferEncoding.Count > 0)
        && request.ContentType is { } type
        && type.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase);

    private static Outcome<Dictionary<string, string>> Parse(ReadOnlySequence<byte> body)
    {
        var length = (int)body.Length;
        var bytes = ArrayPool<byte>.Shared.Rent(Math.Max(1, length));
        try
        {
            body.CopyTo(bytes);
            return Parse(bytes.AsSpan(0, length));
        }
        catch (DecoderFallbackException)
        {
            return new Fault(ErrorCodes.BadRequest, "The form is not UTF-8.");
        }
        finally
        {
            // It may hold a password or a secret text.
            ArrayPool<byte>.Shared.Return(bytes, clearArray: true);
        }
    }

    private static Outcome<Dictionary<string, string>> Parse(Span<byte> bytes)
    {
        var parsed = new Dictionary<string, string>(StringComparer.Ordinal);
        var fields = 0;
        while (!bytes.IsEmpty)
        {
            var end = bytes.IndexOf((byte)'&');
            var pair = end < 0 ? bytes : bytes[..end];
            bytes = end < 0 ? [] : bytes[(end + 1)..];
            if (pair.IsEmpty) continue;
            if (++fields > MaxFields)
                return new Fault(ErrorCodes.BadRequest, $"The form has more than {MaxFields} fields.");
            var equals = pair.IndexOf((byte)'=');
            var name = Decode(equals < 0 ? pair : pair[..equals]);
            parsed.TryAdd(name, equals < 0 ? "" : Decode(pair[(equals + 1)..]));
        }
        return parsed;
    }

    /// <summary>Undoes the encoding where it stands: what is decoded is never longer.</summary>
    private static string Decode(Span<byte> text) => Strict.GetString(text[..DecodeBytes(text, text)]);

    /// <summary>Decodes <c>%XX</c> and <c>+</c>; a percent sign without two digits stays.</summary>
    /// <returns>Bytes written; <paramref name="to"/> may be <paramref name="text"/> itself.</returns>
    public static int DecodeBytes(ReadOnlySpan<byte> text, Span<byte> to)
    {
        var written = 0;
        for (var at = 0; at < text.Length; at++)
        {
            var one = text[at];
            if (one == '+') one = (byte)' ';
            else if (one == '%' && at + 2 < text.Length
                && char.IsAsciiHexDigit((char)text[at + 1]) && char.IsAsciiHexDigit((char)text[at + 2]))
            {
                one = (byte)(Digit(text[at + 1]) << 4 | Digit(text[at + 2]));
                at += 2;
            }
            to[written++] = one;
        }
        return written;

        static int Digit(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
    }
}
