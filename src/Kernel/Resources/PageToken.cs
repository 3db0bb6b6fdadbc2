using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Groundwork.Wire;

namespace Groundwork.Kernel.Resources;

/// <summary>Where a list goes on, and at which revision: a page is of the same state as the one before it.</summary>
internal readonly record struct PageToken(long Revision, string AfterNamespace, string AfterName)
{
    public static Outcome<PageToken> Parse(string text)
    {
        try
        {
            var parts = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)).Split('\n');
            if (parts is [var revision, var ns, var name]
                && long.TryParse(revision, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                return new PageToken(number, ns, name);
        }
        catch (FormatException)
        {
            // Answered below, like every other token that is not ours.
        }
        return new Fault(
            ErrorCodes.BadPageToken, "The page token is not one that this API gave; start with the first page.");
    }

    public override string ToString() =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes($"{Revision}\n{AfterNamespace}\n{AfterName}"));
}
