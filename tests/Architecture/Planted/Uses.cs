using Planted.Services.Alpha;

// Violations on purpose, which ModuleEdgesTests looks for: a small platform of its own under the root `Planted`. Alpha
// is a module of Services; Beta, beside it, may not use it; Gamma, above, needs it and may use what is public.
#pragma warning disable CA1812, CA1822, CA1852, MA0053, IDE0044, IDE0052, CS0169, CS0649, RCS1213, CA1823, MA0095
namespace Planted.Services.Alpha
{
    public class Shown
    {
        public int Value;

        internal int Kept;

        public static Shown Create() => new();

        internal static Shown Hidden() => new();

        public static T Pass<T>(T value) => value;
    }

    public sealed class ShownException : Exception;

    [AttributeUsage(AttributeTargets.All)]
    public sealed class ShownAttribute(Type? type = null) : Attribute
    {
        public Type? Type => type;
    }

    public interface IShown;

    internal sealed class Kept
    {
        public static int Count => 1;
    }
}

namespace Planted.Services.Beta
{
    internal class Inherits : Shown;

    internal class Implements : IShown;

    internal class HoldsField
    {
        private Shown? field;
    }

    internal class HasProperty
    {
        public List<Shown[]>? Several { get; set; }
    }

    internal class TakesParameter
    {
        public void Take(IReadOnlyDictionary<string, Shown?> shown) => ArgumentNullException.ThrowIfNull(shown);
    }

    internal class CallsStatic
    {
        public object Call() => Shown.Create();
    }

    internal class CallsInClosure
    {
        public Func<object> Call() => () => Shown.Create();
    }

    internal class CallsInStateMachine
    {
        public async Task<object> CallAsync()
        {
            await Task.Yield();
            return Shown.Create();
        }
    }

    internal class NamesType
    {
        public string Name() => typeof(Shown).Name;
    }

    internal class Catches
    {
        public void Try(Action action)
        {
            try
            {
                action();
            }
            catch (ShownException)
            {
                // Only the caught type matters here.
            }
        }
    }

    [Shown]
    internal class IsMarked;

    internal class Constrains
    {
        public void Take<T>(T value) where T : IShown => ArgumentNullException.ThrowIfNull(value);
    }

    internal class PassesArgument
    {
        public object? Make() => Activator.CreateInstance<Shown>();
    }

    internal class Innocent
    {
        public string Text => "Planted.Services.Alpha.Shown";
    }
}

namespace Planted.Communication.Gamma
{
    internal class MayUse
    {
        public int Value() => Shown.Create().Value;
    }

    internal class UsesInternalType
    {
        public int Value() => Kept.Count;
    }

    internal class UsesInternalMethod
    {
        public object Value() => Shown.Hidden();
    }

    internal class UsesInternalField
    {
        public int Value() => Shown.Create().Kept;
    }
}

namespace Planted.Services
{
    internal class OfNoModule;
}

namespace Planted.Services.Unlisted
{
    internal class OfUnlistedModule;
}

namespace Planted.Data.Beta
{
    internal class OfAnotherLayer;
}

namespace Planted.Kernel.Storage
{
    internal class UsesAbove
    {
        public object Make() => new Hosting.Above();
    }
}

namespace Planted.Kernel.Hosting
{
    internal class Above
    {
        public object Make() => new Storage.UsesAbove();
    }
}

namespace Planted.Kernel.Elsewhere
{
    internal class OfNoFolder;
}
